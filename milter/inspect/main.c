/* miji-inspect: started by inspector_start_parent with a control channel; of no use by itself. */
#include <stdio.h>

#include "milter/inspect/launch.h"
#include "milter/inspect/parent.h"

int main(int argc, char **argv)
{
    struct inspect_limits limits;
    const char *user;
    int control_fd;

    if (!launch_read_arguments(argc, argv, &control_fd, &limits, &user)) {
        fputs("miji-inspect is started by miji-milter, not by hand.\n", stderr);
        return 2;
    }
    return parent_run(control_fd, &limits, user);
}
