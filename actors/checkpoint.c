/* checkpoint: the LMDB writer. Writes each frozen overlay in one synced transaction, and frees it
 * afterwards, since both take long.
 *
 *   takes FOLD, DISPOSE (storage); gives FOLDED, DISPOSED (storage) */
#include "actors/checkpoint.h"

static void receive(void *self, struct message *message, struct now now, struct outbox *out)
{
    (void)self;
    (void)now;
    struct folding *folding = (struct folding *)message;
    if (message->kind == MESSAGE_DISPOSE) {
        fold_destroy(&folding->fold);
        send_to(out, ACTOR_storage, MESSAGE_DISPOSED, message);
        return;
    }
    folding->code = fold_run(folding->fold, &folding->result, &folding->why);
    send_to(out, ACTOR_storage, MESSAGE_FOLDED, message);
}

const struct actor_spec checkpoint_spec = {.id = ACTOR_checkpoint, .receive = receive};
