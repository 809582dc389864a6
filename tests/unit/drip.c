/* drip - copies standard input to standard output a byte at a time, so that whoever reads it
 * sees every short read that there can be. */
#include <unistd.h>

int main(void)
{
    char c;
    ssize_t n;
    while ((n = read(STDIN_FILENO, &c, 1)) == 1)
        if (write(STDOUT_FILENO, &c, 1) != 1)
            return 1;
    return n != 0;
}
