#include "client/cli.h"
#include "client/clock.h"

#include <unistd.h>

enum { REDRAW_MS = 100, BAR_COLUMNS = 30 };

void progress_start(struct progress *self, const char *what)
{
    *self = (struct progress){.what = what, .on = isatty(STDERR_FILENO) != 0};
}

static void draw_bar(double share)
{
    int full = (int)(share * BAR_COLUMNS);
    fputs(" [", stderr);
    for (int i = 0; i < BAR_COLUMNS; i++)
        fputc(i < full ? '=' : ' ', stderr);
    fprintf(stderr, "] %3.0f %%", share * 100);
}

void progress_show(struct progress *self, uint64_t done, uint64_t all)
{
    uint64_t now = self->on ? monotonic_ms() : 0;
    if (!self->on || (self->drawn && now - self->shown_ms < REDRAW_MS))
        return;
    self->shown_ms = now;
    self->drawn = true;
    fprintf(stderr, "\r%s", self->what);
    if (all)
        draw_bar(done < all ? (double)done / (double)all : 1);
    fprintf(stderr, " %.1f MiB\033[K", (double)done / (1 << 20));
    fflush(stderr);
}

void progress_end(struct progress *self)
{
    if (self->drawn)
        fputs("\r\033[K", stderr);
    self->drawn = false;
}
