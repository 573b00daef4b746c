/* What is kept of rooms on a person's machine. */
#include "base/limits.h"
#include "client/room_book.h"
#include "tests/support/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char home[SCRATCH_PATH_MAX];

static int set_up(void **state)
{
    (void)state;
    scratch_make(home);
    setenv("XDG_CONFIG_HOME", home, 1);
    unsetenv("WEIR_IDENTITY");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_remove(home);
    return 0;
}

static room_book_t *open_book(const char *identity)
{
    room_book_t *book = NULL;
    struct weir_reason why = {""};
    int rc = room_book_open(identity, true, NULL, &book, &why);
    if (rc)
        print_message("%s\n", why.text);
    assert_int_equal(rc, 0);
    return book;
}

static weir_room_t *new_room(const room_book_t *book, const char *name)
{
    weir_room_t *room = NULL;
    const struct weir_room_settings settings = {.name = name};
    assert_int_equal(weir_room_create(room_book_me(book), &settings, &room, NULL), 0);
    assert_int_equal(weir_room_apply(room, weir_room_pending(room)), 0);
    return room;
}

/* A new room that is in the book. Its key, when that is wanted. */
static void add_room(room_book_t *book, const char *name, uint8_t *key)
{
    weir_room_t *room = new_room(book, name);
    assert_int_equal(room_book_save(book, room, NULL, NULL), 0);
    if (key)
        memcpy(key, weir_contract_key(weir_room_contract(room)), WEIR_KEY_BYTES);
    weir_room_destroy(&room);
}

static void path_in_home(char path[512], const char *below)
{
    snprintf(path, 512, "%s/weir/%s", home, below);
}

static void room_path(char path[512], const char *identity, const uint8_t *key)
{
    char text[WEIR_KEY_TEXT_MAX];
    weir_key_print(key, text);
    snprintf(path, 512, "%s/weir/rooms/%s/%s.room", home, identity, text);
}

static mode_t mode_of(const char *path)
{
    struct stat facts;
    assert_int_equal(stat(path, &facts), 0);
    return facts.st_mode & 07777;
}

static size_t read_file(const char *path, char *bytes, size_t room)
{
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    ssize_t size = read(fd, bytes, room);
    close(fd);
    assert_true(size > 0 && (size_t)size < room);
    bytes[size] = 0;
    return (size_t)size;
}

static void write_file(const char *path, const char *bytes, size_t size)
{
    int fd = open(path, O_WRONLY | O_TRUNC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), size);
    close(fd);
}

/* --- identities ------------------------------------------------------------------------------ */

static void a_key_pair_is_made_once_and_only_where_asked(void **state)
{
    (void)state;
    room_book_t *book = NULL;
    struct weir_reason why;
    bool made = false;
    char path[512];
    uint8_t me[WEIR_KEY_BYTES];
    assert_int_equal(room_book_open(NULL, false, NULL, &book, &why), WEIR_NOT_FOUND);
    assert_non_null(strstr(why.text, "me"));
    path_in_home(path, "keys/me.key");
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(room_book_open(NULL, true, &made, &book, NULL), 0);
    assert_true(made);
    assert_string_equal(room_book_identity(book), "me");
    memcpy(me, weir_signer_public(room_book_me(book)), sizeof me);
    room_book_destroy(&book);
    assert_int_equal(mode_of(path), 0600);
    path_in_home(path, "keys");
    assert_int_equal(mode_of(path), 0700);
    path_in_home(path, "rooms/me");
    assert_int_equal(mode_of(path), 0700);
    assert_int_equal(room_book_open(NULL, true, &made, &book, NULL), 0);
    assert_false(made);
    assert_memory_equal(weir_signer_public(room_book_me(book)), me, sizeof me);
    room_book_destroy(&book);
}

static void who_is_not_there_is_told_who_is(void **state)
{
    (void)state;
    room_book_t *book = NULL;
    struct weir_reason why;
    assert_true(room_book_is_first(NULL));
    assert_false(room_book_is_first("zoe")); /* who is named is somebody */
    room_book_destroy(&(room_book_t *){open_book(NULL)});
    room_book_destroy(&(room_book_t *){open_book("ann")});
    assert_int_equal(room_book_open("an", false, NULL, &book, &why), WEIR_NOT_FOUND);
    assert_string_equal(why.text, "there is no identity an on this machine; there are ann, me");
    assert_false(room_book_is_first(NULL));
}

/* Of a program that was killed while it made one, and had our number. */
static void half_a_key_pair_is_replaced_and_none_is_left(void **state)
{
    (void)state;
    char path[512], beside[576];
    room_book_destroy(&(room_book_t *){open_book(NULL)}); /* makes the folder */
    path_in_home(path, "keys/bob.key");
    snprintf(beside, sizeof beside, "%s.new-%ld", path, (long)getpid());
    int fd = open(beside, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    close(fd);
    room_book_destroy(&(room_book_t *){open_book("bob")});
    assert_int_equal(access(beside, F_OK), -1);
    assert_int_equal(mode_of(path), 0600);
}

static void an_identity_is_named_or_in_the_environment_or_me(void **state)
{
    (void)state;
    setenv("WEIR_IDENTITY", "ann", 1);
    room_book_t *ann = open_book(NULL), *bob = open_book("bob");
    assert_string_equal(room_book_identity(ann), "ann");
    assert_string_equal(room_book_identity(bob), "bob");
    assert_memory_not_equal(weir_signer_public(room_book_me(ann)),
                            weir_signer_public(room_book_me(bob)), WEIR_KEY_BYTES);
    room_book_destroy(&ann);
    room_book_destroy(&bob);
    unsetenv("WEIR_IDENTITY");
}

static void what_makes_no_file_name_is_no_identity(void **state)
{
    (void)state;
    static const char *const names[] = {
        "",
        ".",
        "..",
        ".hidden",
        "a/b",
        "../me",
        "-x",
        "tab\t",
        "\033[31m",
        "a name that is much too long to be one, of more than 63 characters all in all"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        room_book_t *book = NULL;
        assert_int_equal(room_book_open(names[i], true, NULL, &book, NULL), WEIR_BAD_REQUEST);
        assert_null(book);
    }
}

static void what_others_may_read_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        mode_t wrong, right;
    } rows[] = {{"keys/me.key", 0640, 0600},
                {"keys", 0750, 0700},
                {"rooms", 0705, 0700},
                {"rooms/me", 0770, 0700}};
    room_book_t *book = open_book(NULL);
    room_book_destroy(&book);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char path[512];
        struct weir_reason why = {""};
        path_in_home(path, rows[i].path);
        chmod(path, rows[i].wrong);
        assert_int_equal(room_book_open(NULL, false, NULL, &book, &why), WEIR_DENIED);
        assert_non_null(strstr(why.text, path));
        assert_non_null(strstr(why.text, "chmod"));
        chmod(path, rows[i].right);
    }
    book = open_book(NULL);
    room_book_destroy(&book);
}

/* --- rooms ----------------------------------------------------------------------------------- */

static void rooms_are_there_again_in_order_of_their_names(void **state)
{
    (void)state;
    uint8_t lobby[WEIR_KEY_BYTES], attic[WEIR_KEY_BYTES];
    char path[512];
    room_book_t *book = open_book(NULL);
    add_room(book, "lobby", lobby);
    add_room(book, "attic", attic);
    room_book_destroy(&book);
    room_path(path, "me", lobby);
    assert_int_equal(mode_of(path), 0600);
    book = open_book(NULL);
    assert_int_equal(room_book_count(book), 2);
    assert_string_equal(room_book_entry(book, 0)->name, "attic");
    assert_string_equal(room_book_entry(book, 1)->name, "lobby");
    assert_memory_equal(room_book_entry(book, 1)->key, lobby, sizeof lobby);
    weir_room_t *room = NULL;
    assert_int_equal(room_book_load(book, 1, &room, NULL), 0);
    assert_memory_equal(weir_contract_key(weir_room_contract(room)), lobby, sizeof lobby);
    weir_room_destroy(&room);
    room_book_destroy(&book);
}

/* The name of a private room is sealed to who has no key yet. */
static void a_room_without_a_name_goes_by_its_key_until_it_has_one(void **state)
{
    (void)state;
    const struct weir_room_settings settings = {.name = "cellar", .is_private = 1};
    weir_signer_t *owner = weir_signer_new();
    room_book_t *book = open_book(NULL);
    weir_room_t *made = NULL, *room = NULL;
    char *invitation = NULL, key[WEIR_KEY_TEXT_MAX], wanted[32];
    size_t i = 9;
    assert_int_equal(weir_room_create(owner, &settings, &made, NULL), 0);
    assert_int_equal(weir_room_invite(made, &invitation), 0);
    assert_int_equal(weir_room_join(invitation, room_book_me(book), &room, NULL), 0);
    weir_key_print(weir_contract_key(weir_room_contract(room)), key);
    snprintf(wanted, sizeof wanted, "room-%.8s", key);
    for (int n = 0; n < 2; n++) { /* saved again it is the same */
        assert_int_equal(room_book_save(book, room, NULL, NULL), 0);
        assert_string_equal(room_book_entry(book, 0)->name, wanted);
        assert_true(room_book_is_makeshift(room_book_entry(book, 0)));
    }
    assert_int_equal(weir_room_apply(room, weir_room_pending(made)), 0);
    assert_int_equal(room_book_save(book, room, NULL, NULL), 0);
    assert_string_equal(room_book_entry(book, 0)->name, "cellar");
    assert_false(room_book_is_makeshift(room_book_entry(book, 0)));
    assert_int_equal(room_book_find(book, wanted, &i, NULL), 0); /* who noted that name finds it */
    assert_int_equal(i, 0);
    assert_int_equal(room_book_place(book, room), 0);
    assert_int_equal(room_book_place(book, made), 0);
    weir_free(invitation);
    weir_room_destroy(&made);
    weir_room_destroy(&room);
    weir_signer_destroy(&owner);
    room_book_destroy(&book);
}

static void a_name_is_one_rooms_and_can_be_given(void **state)
{
    (void)state;
    room_book_t *book = open_book(NULL);
    add_room(book, "lobby", NULL);
    add_room(book, "lobby", NULL);
    add_room(book, "-- \033[2J\n x", NULL); /* what others may call a room */
    assert_string_equal(room_book_entry(book, 0)->name, "\\x1b[2J x");
    assert_string_equal(room_book_entry(book, 1)->name, "lobby");
    assert_string_equal(room_book_entry(book, 2)->name, "lobby-2");
    weir_room_t *room = NULL;
    assert_int_equal(room_book_load(book, 2, &room, NULL), 0);
    struct weir_reason why;
    assert_int_equal(room_book_save(book, room, "lobby", &why), WEIR_BAD_REQUEST);
    assert_non_null(strstr(why.text, "lobby"));
    static const char *const bad[] = {"", "-x", " x", "x ", "a\nb", "\xff"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(room_book_save(book, room, bad[i], NULL), WEIR_BAD_REQUEST);
    assert_int_equal(room_book_save(book, room, "cellar", NULL), 0);
    assert_int_equal(room_book_save(book, room, NULL, NULL), 0); /* keeps it */
    weir_room_destroy(&room);
    room_book_destroy(&book);
    book = open_book(NULL);
    assert_int_equal(room_book_count(book), 3);
    assert_string_equal(room_book_entry(book, 1)->name, "cellar");
    room_book_destroy(&book);
}

static void a_room_is_found_by_name_or_beginning_of_its_key(void **state)
{
    (void)state;
    uint8_t key[WEIR_KEY_BYTES];
    char text[WEIR_KEY_TEXT_MAX];
    struct weir_reason why = {""};
    size_t i = 99;
    room_book_t *book = open_book(NULL);
    assert_int_equal(room_book_find(book, "lobby", &i, &why), WEIR_NOT_FOUND);
    assert_non_null(strstr(why.text, "no room yet"));
    add_room(book, "attic", NULL);
    add_room(book, "lobby", key);
    weir_key_print(key, text);
    assert_int_equal(room_book_find(book, "lobby", &i, NULL), 0);
    assert_int_equal(i, 1);
    i = 99;
    assert_int_equal(room_book_find(book, text, &i, NULL), 0);
    assert_int_equal(i, 1);
    text[6] = 0;
    i = 99;
    assert_int_equal(room_book_find(book, text, &i, NULL), 0);
    assert_int_equal(i, 1);
    text[3] = 0; /* too short for a key */
    assert_int_equal(room_book_find(book, text, &i, &why), WEIR_NOT_FOUND);
    assert_int_equal(room_book_find(book, "cellar", &i, &why), WEIR_NOT_FOUND);
    assert_non_null(strstr(why.text, "attic, lobby"));
    room_book_destroy(&book);
}

static void a_list_of_many_names_is_cut(void **state)
{
    (void)state;
    struct weir_reason why = {""};
    size_t i;
    room_book_t *book = open_book(NULL);
    for (int n = 0; n < 20; n++) {
        char name[64];
        snprintf(name, sizeof name, "a room with quite a long name %d", n);
        add_room(book, name, NULL);
    }
    assert_int_equal(room_book_find(book, "nothing", &i, &why), WEIR_NOT_FOUND);
    assert_string_equal(why.text + strlen(why.text) - strlen("…"), "…");
    room_book_destroy(&book);
}

static void what_is_forgotten_is_gone(void **state)
{
    (void)state;
    char path[512];
    uint8_t key[WEIR_KEY_BYTES];
    room_book_t *book = open_book(NULL);
    add_room(book, "attic", NULL);
    add_room(book, "lobby", key);
    room_path(path, "me", key);
    assert_int_equal(room_book_forget(book, 1, NULL), 0);
    assert_int_equal(room_book_count(book), 1);
    assert_int_equal(access(path, F_OK), -1);
    room_book_destroy(&book);
    book = open_book(NULL);
    assert_int_equal(room_book_count(book), 1);
    assert_string_equal(room_book_entry(book, 0)->name, "attic");
    room_book_destroy(&book);
}

/* --- two at once ----------------------------------------------------------------------------- */

static void two_books_of_one_identity_keep_both_their_rooms(void **state)
{
    (void)state;
    room_book_t *one = open_book(NULL), *two = open_book(NULL);
    add_room(one, "lobby", NULL);
    add_room(two, "lobby", NULL); /* knows nothing of the other */
    room_book_destroy(&one);
    room_book_destroy(&two);
    one = open_book(NULL);
    assert_int_equal(room_book_count(one), 2);
    assert_string_equal(room_book_entry(one, 0)->name, "lobby");
    assert_string_equal(room_book_entry(one, 1)->name, "lobby-2");
    room_book_destroy(&one);
}

static void saving_a_room_keeps_how_far_another_program_read(void **state)
{
    (void)state;
    uint8_t spot[WEIR_SPOT_BYTES];
    memset(spot, 7, sizeof spot);
    room_book_t *one = open_book(NULL);
    weir_room_t *room = new_room(one, "lobby");
    assert_int_equal(room_book_save(one, room, NULL, NULL), 0);
    room_book_t *two = open_book(NULL);
    assert_int_equal(room_book_mark_read(two, 0, spot, NULL), 0);
    assert_memory_equal(room_book_entry(two, 0)->read, spot, sizeof spot);
    assert_int_equal(room_book_save(one, room, "hall", NULL), 0);
    room_book_destroy(&two);
    two = open_book(NULL);
    assert_string_equal(room_book_entry(two, 0)->name, "hall");
    assert_memory_equal(room_book_entry(two, 0)->read, spot, sizeof spot);
    assert_int_equal(room_book_forget(one, 0, NULL), 0);
    assert_int_equal(room_book_mark_read(two, 0, spot, NULL), WEIR_NOT_FOUND);
    weir_room_destroy(&room);
    room_book_destroy(&one);
    room_book_destroy(&two);
}

/* --- damage ---------------------------------------------------------------------------------- */

static void a_damaged_file_is_named_and_the_others_are_there(void **state)
{
    (void)state;
    uint8_t key[WEIR_KEY_BYTES];
    char path[512], whole[8192];
    room_book_t *book = open_book(NULL);
    add_room(book, "attic", NULL);
    add_room(book, "lobby", key);
    room_book_destroy(&book);
    room_path(path, "me", key);
    size_t size = read_file(path, whole, sizeof whole);
    for (size_t at = 0; at <= size; at += 7) { /* one byte turned, or (at the end) one missing */
        char bytes[8192];
        memcpy(bytes, whole, size);
        bytes[at < size ? at : 0] ^= at < size ? 1 : 0;
        write_file(path, bytes, at < size ? size : size - 1);
        book = open_book(NULL);
        assert_int_equal(room_book_count(book), 1);
        assert_string_equal(room_book_entry(book, 0)->name, "attic");
        assert_int_equal(room_book_damaged_count(book), 1);
        assert_non_null(strstr(room_book_damaged(book, 0), path));
        room_book_destroy(&book);
    }
    write_file(path, whole, size);
    chmod(path, 0644);
    book = open_book(NULL);
    assert_int_equal(room_book_count(book), 1);
    assert_non_null(strstr(room_book_damaged(book, 0), "chmod 600"));
    room_book_destroy(&book);
    chmod(path, 0600);
    book = open_book(NULL);
    assert_int_equal(room_book_count(book), 2);
    assert_int_equal(room_book_damaged_count(book), 0);
    room_book_destroy(&book);
}

static void a_room_of_another_identity_is_refused(void **state)
{
    (void)state;
    uint8_t key[WEIR_KEY_BYTES];
    char from[512], to[512];
    room_book_t *ann = open_book("ann"), *bob = open_book("bob");
    add_room(ann, "lobby", key);
    room_book_destroy(&ann);
    room_book_destroy(&bob);
    room_path(from, "ann", key);
    room_path(to, "bob", key);
    assert_int_equal(rename(from, to), 0);
    bob = open_book("bob");
    weir_room_t *room = NULL;
    assert_int_equal(room_book_load(bob, 0, &room, NULL), WEIR_DENIED);
    assert_null(room);
    room_book_destroy(&bob);
}

static size_t files_of(const char *identity)
{
    char path[512], below[64];
    size_t n = 0;
    snprintf(below, sizeof below, "rooms/%s", identity);
    path_in_home(path, below);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    while (readdir(dir))
        n++;
    closedir(dir);
    return n - 2; /* . and .. */
}

static void what_cannot_be_written_leaves_what_was(void **state)
{
    (void)state;
    room_book_t *book = open_book(NULL);
    weir_room_t *room = new_room(book, "lobby");
    struct weir_reason why = {""};
    struct rlimit before, full;
    assert_int_equal(room_book_save(book, room, NULL, NULL), 0);
    /* As on a full disk: no file may grow past 10 bytes. */
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    full = (struct rlimit){10, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &full);
    int rc = room_book_save(book, room, "cellar", &why);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, handler);
    assert_int_equal(rc, WEIR_IO);
    assert_non_null(strstr(why.text, ".room"));
    assert_string_equal(room_book_entry(book, 0)->name, "lobby");
    assert_int_equal(files_of("me"), 1);
    weir_room_destroy(&room);
    room_book_destroy(&book);
    book = open_book(NULL);
    assert_string_equal(room_book_entry(book, 0)->name, "lobby");
    assert_int_equal(room_book_damaged_count(book), 0);
    room_book_destroy(&book);
}

/* Killed at any moment of a save, a program leaves the file as it was or as it is to be. */
static void a_killed_program_leaves_a_whole_file(void **state)
{
    (void)state;
    enum { KILLS = 30 };
    room_book_t *book = open_book(NULL);
    weir_room_t *room = new_room(book, "name-0");
    assert_int_equal(room_book_save(book, room, NULL, NULL), 0);
    for (int i = 0; i < KILLS; i++) {
        int ready[2];
        char byte;
        assert_int_equal(pipe(ready), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            for (unsigned n = 0;; n++) {
                char name[32];
                snprintf(name, sizeof name, "name-%u", n);
                if (room_book_save(book, room, name, NULL) || write(ready[1], "", 1) != 1)
                    _exit(1);
            }
        }
        for (int n = 0; n <= i % 5; n++) /* it is at work */
            assert_int_equal(read(ready[0], &byte, 1), 1);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        close(ready[0]);
        close(ready[1]);
        room_book_t *found = open_book(NULL);
        assert_int_equal(room_book_count(found), 1);
        assert_int_equal(room_book_damaged_count(found), 0);
        assert_memory_equal(room_book_entry(found, 0)->name, "name-", 5);
        room_book_destroy(&found);
    }
    weir_room_destroy(&room);
    room_book_destroy(&book);
}

#define BOOK_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOOK_TEST(a_key_pair_is_made_once_and_only_where_asked),
        BOOK_TEST(who_is_not_there_is_told_who_is),
        BOOK_TEST(half_a_key_pair_is_replaced_and_none_is_left),
        BOOK_TEST(an_identity_is_named_or_in_the_environment_or_me),
        BOOK_TEST(what_makes_no_file_name_is_no_identity),
        BOOK_TEST(what_others_may_read_is_refused),
        BOOK_TEST(rooms_are_there_again_in_order_of_their_names),
        BOOK_TEST(a_room_without_a_name_goes_by_its_key_until_it_has_one),
        BOOK_TEST(a_name_is_one_rooms_and_can_be_given),
        BOOK_TEST(a_room_is_found_by_name_or_beginning_of_its_key),
        BOOK_TEST(a_list_of_many_names_is_cut),
        BOOK_TEST(what_is_forgotten_is_gone),
        BOOK_TEST(two_books_of_one_identity_keep_both_their_rooms),
        BOOK_TEST(saving_a_room_keeps_how_far_another_program_read),
        BOOK_TEST(a_damaged_file_is_named_and_the_others_are_there),
        BOOK_TEST(a_room_of_another_identity_is_refused),
        BOOK_TEST(what_cannot_be_written_leaves_what_was),
        BOOK_TEST(a_killed_program_leaves_a_whole_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
