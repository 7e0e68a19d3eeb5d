/* miji-milter: the filter between Postfix and delivery. See miji-milter(8). */
#include <stdio.h>
#include <unistd.h>

#include "milter/daemon/supervisor.h"
#include "milter/inspect/program.h"
#include "policy/version.h"

#define DEFAULT_CONFIG "/etc/miji/miji.conf"

static int usage(FILE *to, int status)
{
    fprintf(to, "usage: miji-milter [-c FILE] [-f]\n"
                "\n"
                "  -c FILE   the configuration (" DEFAULT_CONFIG ")\n"
                "  -f        stay in the foreground (for systemd and trials)\n"
                "  -V        print the version\n"
                "\n"
                "HUP reloads the configuration, TERM finishes what is under way and stops.\n"
                "`miji check` reads a configuration without loading it; miji-milter(8) and\n"
                "miji.conf(5) tell the rest.\n");
    return status;
}

int main(int argc, char **argv)
{
    struct supervisor_options options = {.config = DEFAULT_CONFIG};
    int option;
    while ((option = getopt(argc, argv, "c:fhV")) != -1) {
        switch (option) {
        case 'c':
            options.config = optarg;
            break;
        case 'f':
            options.foreground = TRUE;
            break;
        case 'V':
            printf("miji-milter " MIJI_VERSION "\n");
            return 0;
        case 'h':
            return usage(stdout, 0);
        default:
            return usage(stderr, 2);
        }
    }
    if (optind < argc)
        return usage(stderr, 2);
    g_autofree char *inspector = inspect_program();
    /* The daemon outlives the folder that it was started in. */
    g_autofree char *config = g_canonicalize_filename(options.config, NULL);
    options.config = config;
    options.inspector = inspector;
    return supervisor_run(&options);
}
