#include "tests/crash/image.h"

#include "tests/support/scratch.h"
#include "tests/unit/store_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void must(bool so, const char *what)
{
    if (so)
        return;
    perror(what);
    abort();
}

/* --- the pool ---------------------------------------------------------------------------- */

static void pool_path(const struct images *self, int file, char path[IMAGE_PATH_MAX])
{
    (void)snprintf(path, IMAGE_PATH_MAX, "%s/%d", self->root, file);
}

static void pool_reach(struct images *self)
{
    for (; self->file_count < self->disk->file_count; self->file_count++) {
        char path[IMAGE_PATH_MAX];
        struct stat facts;
        int file = self->file_count;
        pool_path(self, file, path);
        self->fds[file] = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        must(self->fds[file] >= 0 && fstat(self->fds[file], &facts) == 0, path);
        self->inodes[file] = facts.st_ino;
    }
}

static void pool_write(const struct images *self, int file, const uint8_t *bytes, size_t size,
                       uint64_t at)
{
    while (size) {
        struct iovec part = {.iov_len = size};
        memcpy(&part.iov_base, &bytes, sizeof bytes);
        ssize_t n = image_write(self->fds[file], &part, 1, (off_t)at);
        must(n > 0, "write an image");
        bytes += n;
        size -= (size_t)n;
        at += (uint64_t)n;
    }
}

/* The pool's files are what is sure, again. */
static void pool_settle(struct images *self)
{
    struct disk *disk = self->disk;
    struct stat facts;
    pool_reach(self);
    for (int i = 0; i < self->file_count; i++) {
        must(fstat(self->fds[i], &facts) == 0, "fstat");
        if ((size_t)facts.st_size != disk->files[i].size)
            must(ftruncate(self->fds[i], (off_t)disk->files[i].size) == 0, "ftruncate");
    }
    for (size_t i = 0; i < disk->changed_count; i++) {
        const struct disk_range *range = &disk->changed[i];
        const struct disk_file *file = &disk->files[range->file];
        if (range->at >= file->size)
            continue;
        size_t size = file->size - range->at < range->size ? file->size - range->at : range->size;
        pool_write(self, range->file, file->bytes + range->at, size, range->at);
    }
    disk->changed_count = 0;
}

void images_open(struct images *self, struct disk *disk)
{
    memset(self, 0, sizeof *self);
    self->disk = disk;
    scratch_make(self->root);
    (void)snprintf(self->folder, sizeof self->folder, "%s/data", self->root);
}

void images_close(struct images *self)
{
    image_watch(NULL);
    for (int i = 0; i < self->file_count; i++)
        (void)close(self->fds[i]);
    scratch_remove(self->root);
}

/* --- chance ------------------------------------------------------------------------------ */

/* How an image is drawn. */
struct draw {
    enum image_choice choice;
    uint64_t sector;
    size_t percent; /* IMAGE_SOME */
    size_t prefix;  /* IMAGE_PREFIX: so many changes happened */
    bool sizes;     /* files are as long as they were to be, whatever is in them */
};

static struct draw draw_image(const struct disk *disk)
{
    static const size_t percents[] = {3, 20, 50, 80, 97};
    struct draw draw = {.choice = (enum image_choice)random_below(IMAGE_CHOICES + 2),
                        .sector = random_below(2) ? 512 : 4096,
                        .percent = percents[random_below(5)],
                        .prefix = random_below(disk->pending_count + 1),
                        .sizes = random_below(2)};
    if (draw.choice >= IMAGE_CHOICES)
        draw.choice = IMAGE_SOME; /* it has the most to find */
    return draw;
}

static bool draw_name(const struct draw *draw, size_t i)
{
    switch (draw->choice) {
    case IMAGE_NONE:
        return false;
    case IMAGE_ALL:
        return true;
    case IMAGE_PREFIX:
        return i < draw->prefix;
    case IMAGE_SOME:
    case IMAGE_ONE_LOST:
    case IMAGE_ONE_KEPT:
    case IMAGE_CHOICES:
        break;
    }
    return random_below(100) < draw->percent;
}

/* --- sectors ----------------------------------------------------------------------------- */

/* A sector that is written by pending writes: the first `kept` of them reached the disk. */
struct sector {
    uint64_t name; /* file and number; 0: an empty slot */
    uint32_t writes, kept, done;
};

struct sectors {
    struct sector *slots;
    size_t capacity, count;
};

static struct sector *sector_of(struct sectors *self, int file, uint64_t number)
{
    uint64_t name = ((uint64_t)file + 1) << 40 | number;
    size_t at = (size_t)(name * 0x9e3779b97f4a7c15u >> 20) & (self->capacity - 1);
    while (self->slots[at].name && self->slots[at].name != name)
        at = (at + 1) & (self->capacity - 1);
    self->count += !self->slots[at].name;
    self->slots[at].name = name;
    return &self->slots[at];
}

/* One pending write cut at sectors: calls for each the part of the write in it. */
struct piece {
    const struct disk_pending *write;
    uint64_t number, at; /* of the sector; of the piece in the file */
    size_t size;
};

static bool piece_next(struct piece *self, const struct disk_pending *write, uint64_t sector)
{
    const struct trace_event *event = write->event;
    uint64_t at = self->write == write ? self->at + self->size : event->at;
    uint64_t end = event->at + event->size;
    if (at >= end)
        return false;
    uint64_t room = sector - at % sector;
    *self = (struct piece){write, at / sector, at, room < end - at ? room : end - at};
    return true;
}

static void count_sectors(struct sectors *self, const struct disk *disk, uint64_t sector)
{
    size_t pieces = 16;
    for (size_t i = 0; i < disk->pending_count; i++)
        if (disk->pending[i].event->type == TRACE_WRITE)
            pieces += 2 + disk->pending[i].event->size / sector;
    self->count = 0;
    for (self->capacity = 16; self->capacity < 2 * pieces;)
        self->capacity *= 2;
    self->slots = (struct sector *)calloc(self->capacity, sizeof *self->slots);
    must(self->slots, "out of memory");
    for (size_t i = 0; i < disk->pending_count; i++) {
        struct piece piece = {0};
        if (disk->pending[i].event->type == TRACE_WRITE)
            while (piece_next(&piece, &disk->pending[i], sector))
                sector_of(self, disk->pending[i].file, piece.number)->writes++;
    }
}

/* Decides for each sector how many of its writes reached the disk. */
static void draw_sectors(struct sectors *self, const struct draw *draw)
{
    size_t other = self->count ? random_below(self->count) : 0, n = 0;
    for (size_t i = 0; i < self->capacity; i++) {
        struct sector *sector = &self->slots[i];
        if (!sector->name)
            continue;
        bool chosen = n++ == other;
        size_t some = random_below(sector->writes + 1), all = sector->writes;
        size_t kept = all;
        switch (draw->choice) {
        case IMAGE_NONE:
            kept = 0;
            break;
        case IMAGE_SOME:
            kept = all > 1 ? some : random_below(100) < draw->percent;
            break;
        case IMAGE_ONE_LOST:
            kept = chosen ? random_below(all) : all;
            break;
        case IMAGE_ONE_KEPT:
            kept = chosen ? 1 + random_below(all) : 0;
            break;
        case IMAGE_ALL:
        case IMAGE_PREFIX:
        case IMAGE_CHOICES:
            break;
        }
        sector->kept = (uint32_t)kept;
    }
}

/* --- making one -------------------------------------------------------------------------- */

/* Writes the pieces of a pending write that are on this disk. */
static void put_write(struct images *self, struct sectors *sectors,
                      const struct disk_pending *write, uint64_t sector)
{
    struct piece piece = {0};
    uint64_t from = write->event->at, end = from; /* a run of pieces */
    const uint8_t *data = trace_data(write->event);
    bool more = true;
    while (more) {
        more = piece_next(&piece, write, sector);
        struct sector *place = more ? sector_of(sectors, write->file, piece.number) : NULL;
        bool kept = place && place->done++ < place->kept;
        if (kept)
            end = piece.at + piece.size;
        if (kept && more)
            continue;
        if (end > from) {
            pool_write(self, write->file, data + (from - write->event->at), end - from, from);
            disk_changed(self->disk, write->file, from, end - from);
        }
        from = end = piece.at + piece.size;
    }
}

static void put_bytes(struct images *self, const struct draw *draw)
{
    struct sectors sectors;
    struct disk *disk = self->disk;
    count_sectors(&sectors, disk, draw->sector);
    draw_sectors(&sectors, draw);
    size_t happened = draw->choice == IMAGE_PREFIX ? draw->prefix : disk->pending_count;
    for (size_t i = 0; i < happened; i++) {
        const struct disk_pending *pending = &disk->pending[i];
        struct stat facts;
        if (disk_is_naming(pending))
            continue;
        if (pending->event->type == TRACE_WRITE)
            put_write(self, &sectors, pending, draw->sector);
        bool longer = draw->choice == IMAGE_ALL || draw->choice == IMAGE_PREFIX ||
                      (draw->choice != IMAGE_NONE && draw->sizes);
        uint64_t end =
            pending->event->at + (pending->event->type == TRACE_WRITE ? pending->event->size : 0);
        must(fstat(self->fds[pending->file], &facts) == 0, "fstat");
        if (longer && end > (uint64_t)facts.st_size)
            must(ftruncate(self->fds[pending->file], (off_t)end) == 0, "ftruncate");
    }
    free(sectors.slots);
}

static void put_directory(const struct images *self, const char *name)
{
    char path[2 * IMAGE_PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/%s", self->folder, name);
    must(mkdir(path, 0700) == 0, path);
}

static void put_file(const struct images *self, const struct disk_name *row)
{
    char path[2 * IMAGE_PATH_MAX], file[IMAGE_PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/%s", self->folder, row->path);
    pool_path(self, row->file, file);
    must(link(file, path) == 0, path);
}

/* What stands in a directory that is not there is not there either. */
static void put_names(const struct images *self, const struct draw *draw)
{
    struct disk_names names = self->disk->sure;
    for (size_t i = 0; i < self->disk->pending_count; i++)
        if (disk_is_naming(&self->disk->pending[i]) && draw_name(draw, i))
            disk_apply_name(&names, &self->disk->pending[i]);
    if (disk_find(&names, ".") < 0)
        return;
    put_directory(self, "");
    bool log = disk_find(&names, "log") >= 0;
    if (log)
        put_directory(self, "log");
    for (size_t i = 0; i < names.count; i++) {
        const struct disk_name *row = &names.rows[i];
        bool in_log = strncmp(row->path, "log/", 4) == 0;
        if (row->file >= 0 && !self->disk->files[row->file].directory && (log || !in_log))
            put_file(self, row);
    }
}

void image_make(struct images *self)
{
    static const char *const names[] = {"nothing", "everything",         "a prefix",
                                        "some",    "all but one sector", "one sector"};
    struct draw draw = draw_image(self->disk);
    image_watch(NULL);
    pool_settle(self);
    put_bytes(self, &draw);
    put_names(self, &draw);
    image_watch(self);
    (void)snprintf(self->made_of, sizeof self->made_of, "%s of %zu pending, %llu-byte sectors",
                   names[draw.choice], self->disk->pending_count, (unsigned long long)draw.sector);
}

void image_clear(struct images *self)
{
    scratch_remove(self->folder);
}
