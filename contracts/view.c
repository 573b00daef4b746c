#include "contracts/view.h"

#include "contracts/merge.h"
#include "contracts/writers.h"

int view_next(const struct contract *contract, struct entries *walk, struct entry *entry,
              const uint8_t **writer, struct reason *why)
{
    int more = contract_next(contract, walk, entry, why);
    if (more <= 0)
        return more;
    *writer = writers_who(contract, entry->value);
    entry->value = writers_inner(contract, entry->value);
    return 1;
}

int view_each(const struct contract *contract, struct slice state, view_item_of *of, view_fn *item,
              void *self, struct reason *why)
{
    struct entries walk = entries_of(state);
    struct entry entry;
    const uint8_t *writer;
    int more, rc = 0;
    while (!rc && (more = view_next(contract, &walk, &entry, &writer, why)) != 0) {
        if (more < 0)
            return more;
        struct view_item shown = of(&entry);
        shown.writer = writer;
        rc = item(self, &shown);
    }
    return rc;
}

int view_items(const struct contract *contract, struct slice state, view_fn *item, void *self,
               struct reason *why)
{
    int rc = contract->kind->view(contract, state, item, self, why);
    return rc == ERR_NO_MEMORY ? fail(why, rc, "no memory to sort what is shown") : rc;
}
