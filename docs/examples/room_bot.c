/* A bot in a room: enters by an invitation, and answers each "!time" with the time. Its key pair
 * and its card of the room stand in the folder that it runs in: started again, it is the same
 * member.
 *
 * cc -o room_bot room_bot.c $(pkg-config --cflags --libs libweir) && ./room_bot INVITATION */
#define _POSIX_C_SOURCE 200809L /* gmtime_r */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <weir_room.h>

/* Did the bot reply to this one already? A message comes again when someone reacts to it. */
static int has_answered(const weir_room_t *room, const uint8_t *spot)
{
    struct weir_room_message message;
    for (size_t i = weir_room_message_count(room); i-- > 0;) {
        weir_room_message(room, i, &message);
        if (message.reply_to && memcmp(message.reply_to, spot, WEIR_SPOT_BYTES) == 0 &&
            memcmp(message.author, weir_room_me(room), WEIR_KEY_BYTES) == 0)
            return 1;
    }
    return 0;
}

/* Older ones are history; one whose author is banned, say, has no place in the view. */
static int is_question(const weir_room_t *room, const uint8_t *spot, time_t now)
{
    struct weir_room_message message;
    size_t i;
    if (weir_room_find_spot(room, spot, &i) != 0)
        return 0;
    weir_room_message(room, i, &message);
    return message.text.size == 5 && memcmp(message.text.data, "!time", 5) == 0 &&
           message.time_ms / 1000 + 60 >= (uint64_t)now && !has_answered(room, spot);
}

static void on_change(weir_t *w, weir_room_t *room, const struct weir_room_event *event, void *arg)
{
    int *ended = arg, rc = 0;
    time_t now = time(NULL);
    struct tm utc;
    char answer[32];
    strftime(answer, sizeof answer, "it is %H:%M:%S UTC", gmtime_r(&now, &utc));
    for (size_t i = 0; i < event->spot_count; i++)
        if (is_question(room, event->spots + i * WEIR_SPOT_BYTES, now))
            rc = weir_room_reply(room, event->spots + i * WEIR_SPOT_BYTES, weir_text(answer), NULL);
    *ended = event->kind == WEIR_EVENT_ENDED;
    if (*ended)
        fprintf(stderr, "room_bot: %s\n", event->sentence);
    else if (rc || weir_room_send_async(w, room, NULL, NULL))
        fprintf(stderr, "room_bot: %s\n", weir_room_error(room));
}

/* By the card of last time, else by the invitation; then the card is kept. */
static int open_room(const char *invitation, const weir_signer_t *me, weir_room_t **room,
                     struct weir_reason *why)
{
    uint8_t bytes[8192], *card = NULL;
    FILE *file = fopen("bot.card", "rb");
    size_t size = file ? fread(bytes, 1, sizeof bytes, file) : 0;
    if (file)
        fclose(file);
    if (size)
        return weir_room_open((struct weir_bytes){bytes, size}, me, room, why);
    int rc = weir_room_join(invitation, me, room, why);
    if (!rc && (rc = weir_room_nickname(*room, weir_text("bot"))) == 0)
        rc = weir_room_card(*room, &card, &size);
    if (!rc && (file = fopen("bot.card", "wb"))) {
        fwrite(card, 1, size, file);
        fclose(file);
    }
    weir_free(card);
    return rc;
}

int main(int argc, char **argv)
{
    struct weir_reason why = {"out of memory"};
    weir_signer_t *me = NULL;
    weir_room_t *room = NULL;
    weir_t *w = weir_new(NULL); /* the node at $WEIR_NODE, or on this machine */
    umask(077);                 /* key and card are for nobody else */
    int ended = 0, rc = weir_signer_load("bot.key", &me, &why);
    if (rc && access("bot.key", F_OK) != 0 && (me = weir_signer_new()))
        rc = weir_signer_save(me, "bot.key", &why);
    if (!rc)
        rc = open_room(argc > 1 ? argv[1] : "", me, &room, &why);
    if (rc)
        fprintf(stderr, "room_bot: %s\n", why.text);
    else if ((rc = weir_room_send(w, room)) || (rc = weir_room_follow(w, room, on_change, &ended)))
        fprintf(stderr, "room_bot: %s\n", weir_room_error(room));
    while (rc >= 0 && room && !ended)
        rc = weir_step(w, -1);
    weir_room_destroy(&room);
    weir_signer_destroy(&me);
    weir_destroy(&w);
    return 1;
}
