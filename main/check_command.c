#include "actors/report.h"
#include "client/cli.h"
#include "main/commands.h"
#include "store/store.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static bool on_progress(void *progress, uint64_t done, uint64_t all)
{
    progress_show((struct progress *)progress, done, all);
    return true;
}

/* Most sentences name the folder. */
static int complain(const char *dir, const struct reason *why)
{
    bool names_it = strstr(why->text, dir) != NULL;
    (void)fprintf(stderr, "weir: check: %s%s%s\n", names_it ? "" : dir, names_it ? "" : ": ",
                  why->text);
    return EXIT_FAILED;
}

int check_command(const char *dir, bool json)
{
    struct check_report report = {0};
    struct reason why = {{0}};
    struct progress progress;
    if (sodium_init() < 0)
        return EXIT_FAILED;
    progress_start(&progress, "checking");
    int rc = store_check_dir(dir, on_progress, &progress, &report, &why);
    progress_end(&progress);
    if (rc)
        return complain(dir, &why);
    char *text = report_check(&report);
    int exit_code = text ? cli_print_check(weir_text(text), json) : EXIT_FAILED;
    free(text);
    return exit_code;
}
