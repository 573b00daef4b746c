#include "bench/common/dialect.h"

#include "bench/common/die.h"

const struct dialect *dialect_find(const char *name)
{
    static const struct dialect *const all[] = {&dialect_weir, &dialect_echo, &dialect_redis};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (strcmp(name, all[i]->name) == 0)
            return all[i];
    die("no dialect '%s': weir, echo or redis", name);
}

void dialect_verify(const struct dialect *self, const struct world *world, enum op op,
                    const struct reply *reply)
{
    size_t want = self->value_bytes(world, op);
    if (reply->type == REPLY_ERROR)
        die("%s answered %.*s: %.*s", self->name, (int)reply->value.size,
            (const char *)reply->value.data, (int)reply->sentence.size,
            (const char *)reply->sentence.data);
    if (want != SIZE_MAX && reply->value.size != want)
        die("%s answered %zu bytes where %zu are right", self->name, reply->value.size, want);
}

void dialect_call(const struct dialect *self, struct connection *connection, struct world *world,
                  enum op op, uint32_t number, struct reply *reply)
{
    enum { PATIENCE_S = 30 };
    self->request(world, op, number, 0, &connection->out);
    for (unsigned left = self->replies(op); left > 0;) {
        if (!self->parse(connection, reply)) {
            connection_wait(connection, PATIENCE_S);
            continue;
        }
        if (reply->type == REPLY_NOTIFY)
            continue;
        if (reply->type == REPLY_ERROR || left == 1)
            dialect_verify(self, world, op, reply);
        left--;
    }
}
