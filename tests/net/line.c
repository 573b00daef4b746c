#include "tests/net/line.h"

void line_init(struct line *self, uint64_t seed, uint64_t stream)
{
    *self = (struct line){0};
    dice_seed(&self->dice, seed, stream);
}

/* When its last byte has left, at the line's rate. */
static uint64_t leaves_at(const struct line *self, uint64_t now_us, size_t bytes)
{
    uint64_t start = self->free_at_us > now_us ? self->free_at_us : now_us;
    if (self->rules.bytes_a_second == 0)
        return now_us;
    return start + bytes * 1000000u / self->rules.bytes_a_second;
}

bool line_take(struct line *self, uint64_t now_us, size_t bytes, uint64_t *due_us)
{
    uint64_t jitter_us = dice_below(&self->dice, (uint64_t)self->rules.jitter_us + 1);
    bool lost = dice_below(&self->dice, LINE_SURE) < self->rules.loss;
    uint64_t leaves_us = leaves_at(self, now_us, bytes);
    if (self->rules.cut) {
        self->cut++;
        return false;
    }
    if (lost) {
        self->lost++;
        return false;
    }
    if (leaves_us > now_us + LINE_QUEUE_US) {
        self->overflowed++;
        return false;
    }
    uint64_t due = leaves_us + self->rules.delay_us + jitter_us;
    self->free_at_us = leaves_us;
    self->last_due_us = due > self->last_due_us ? due : self->last_due_us;
    self->taken++;
    *due_us = self->last_due_us;
    return true;
}

bool line_gives(struct line *self)
{
    self->cut += self->rules.cut;
    self->taken -= self->rules.cut;
    return !self->rules.cut;
}
