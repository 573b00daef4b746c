/* The `weir` program: the client's command line, and the two commands that need the rooms above it.
 */
#include "client/cli.h"
#include "main/commands.h"
#include "main/node_settings.h"

int main(int argc, char **argv)
{
    static const struct cli_extension extension = {
        .node = node_command,
        .node_help = node_settings_help,
        .check_dir = check_command,
    };
    cli_extend(&extension);
    return cli_run(argc, argv);
}
