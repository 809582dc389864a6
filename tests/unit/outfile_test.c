/* outfile_test - files appear whole or not at all. */
#include "base/outfile.h"

#include "check.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static bool holds(const char *path, const char *want)
{
    char got[64] = "";
    int fd = open(path, O_RDONLY);
    ssize_t n = fd < 0 ? -1 : read(fd, got, sizeof got - 1);
    if (fd >= 0)
        close(fd);
    return n == (ssize_t)strlen(want) && memcmp(got, want, strlen(want)) == 0;
}

static int entries(void)
{
    int n = 0;
    DIR *d = opendir(".");
    while (readdir(d))
        n++;
    closedir(d);
    return n - 2;
}

static void make(const char *path, const char *text)
{
    Err e = {0};
    OutFile *o = outfile_open(path, &e);
    CHECK(o && outfile_write(o, text, strlen(text), &e) == 0);
    CHECK(o && outfile_commit(o, &e) == 0);
    CHECK_TEXT(e.text, "");
}

int main(void)
{
    Err e = {0};
    struct stat st;
    own_folder();
    make("a", "one");
    CHECK(holds("a", "one") && entries() == 1);
    CHECK(chmod("a", 0640) == 0);

    OutFile *o = outfile_open("a", &e);
    CHECK(o && outfile_write(o, "two", 3, &e) == 0);
    CHECK(holds("a", "one") && entries() == 2);
    outfile_abort(o);
    CHECK(holds("a", "one") && entries() == 1);

    make("a", "two");
    CHECK(holds("a", "two") && stat("a", &st) == 0 && (st.st_mode & 07777) == 0640);

    CHECK(mkdir("d", 0777) == 0 && symlink("../a", "d/link") == 0);
    make("d/link", "three"); /* through the link */
    CHECK(holds("a", "three") && lstat("d/link", &st) == 0 && S_ISLNK(st.st_mode));
    CHECK(symlink("new", "d/dangling") == 0);
    make("d/dangling", "four");
    CHECK(holds("d/new", "four") && lstat("d/dangling", &st) == 0 && S_ISLNK(st.st_mode));

    make("/dev/null", "gone");
    CHECK(stat("/dev/null", &st) == 0 && S_ISCHR(st.st_mode));
    CHECK(symlink("loop", "loop") == 0 && !outfile_open("loop", &e));
    CHECK(!outfile_open("none/x", &e));
    CHECK_TEXT(e.text, "none/x: cannot create: No such file");
    CHECK(!outfile_open("d", &e));
    CHECK_TEXT(e.text, "d: cannot create: Is a directory");
    o = outfile_open("/dev/full", &e);
    CHECK(o && outfile_write(o, "x", 1, &e) < 0);
    CHECK_TEXT(e.text, "/dev/full: cannot write: No space left");
    outfile_abort(o);
    outfile_abort(NULL);
    return checked();
}
