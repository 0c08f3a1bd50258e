/* The first part of the self-contained executable.
 *
 * It unpacks the tar.gz that build.py appended to it into a temporary folder and then becomes Python by exec: one
 * process, which receives its signals itself. A second, tiny process waits until the first has ended, however that
 * happens, and removes the folder.
 *
 * Linked statically: nothing of the host is needed but the kernel (3.2 or later) and a folder to unpack to. The archive
 * holds Python, all libraries and their loader, see build.py.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

enum { BLOCK = 512, WALK_DEPTH = 16, FIRST_OF_OURS = 3 };

/* A tar header as build.py writes it: names fit the first field, where 100 bytes have no zero at their end. */
struct header {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, rest[355];
};

static char home[PATH_MAX];

static const char ROOM[] = "set TMPDIR to a folder with 100 MB of room that may hold programs";
static const char AGAIN[] = "download this file again";

static _Noreturn void fail(const char *what, const char *where, const char *reason, const char *remedy) {
    fprintf(stderr, "ami-exporter: cannot %s %s: %s; %s\n", what, where, reason, remedy);
    exit(1);
}

static const char *inside(const char *name) {
    static char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%.100s", home, name) >= (int)sizeof path)
        fail("unpack to", home, "its name is too long", ROOM);
    return path;
}

/* Make a folder of our own in this one. Returns why that is impossible, else NULL. */
static const char *make_home_in(const char *folder) {
    struct statvfs about;
    if (statvfs(folder, &about) != 0)
        return strerror(errno);
    if (about.f_flag & ST_NOEXEC)
        return "it is mounted noexec";
    if (snprintf(home, sizeof home, "%s/ami-exporter-XXXXXX", folder) >= (int)sizeof home)
        return "its name is too long";
    return mkdtemp(home) ? NULL : strerror(errno);
}

/* Where to unpack: $TMPDIR alone when it is set, else the service's cache of systemd, else the usual places. */
static void make_home(void) {
    const char *chosen = getenv("TMPDIR"), *cache = getenv("CACHE_DIRECTORY");
    const char *usual[] = {cache ? cache : "/tmp", "/tmp", "/var/tmp"};
    int count = sizeof usual / sizeof *usual;
    if (chosen && *chosen) {
        usual[0] = chosen;
        count = 1;
    }
    const char *reason = NULL;
    for (int at = 0; at < count; at++) {
        const char *impossible = make_home_in(usual[at]);
        if (!impossible)
            return;
        reason = reason ? reason : impossible;
    }
    fail("unpack to", usual[0], reason, ROOM);
}

static int remove_one(const char *path, const struct stat *about, int type, struct FTW *place) {
    (void)about, (void)type, (void)place;
    return remove(path);
}

/* Leave a process behind that removes the folder once every copy of the pipe's other end is closed. */
static void leave_cleaner(void) {
    int ends[2];
    if (pipe(ends) != 0)
        fail("clean up", home, strerror(errno), ROOM);
    pid_t child = fork();
    if (child < 0)
        fail("clean up", home, strerror(errno), ROOM);
    if (child > 0) {
        close(ends[0]); /* the other end stays open, through exec, as long as the program runs */
        waitpid(child, NULL, 0);
        return;
    }
    setsid();
    if (fork() != 0)
        _exit(0); /* the cleaner is nobody's child: the program need not wait for it */
    const int ignored[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE};
    for (size_t at = 0; at < sizeof ignored / sizeof *ignored; at++)
        signal(ignored[at], SIG_IGN);
    /* Whoever reads the program's output must see its end. */
    for (int file = 0; file < sysconf(_SC_OPEN_MAX) && file < 4096; file++)
        if (file != ends[0])
            close(file);
    if (chdir("/") != 0)
        _exit(1);
    char byte;
    while (read(ends[0], &byte, 1) < 0 && errno == EINTR)
        ;
    nftw(home, remove_one, WALK_DEPTH, FTW_DEPTH | FTW_PHYS);
    _exit(0);
}

/* Open this program where its archive begins: its last 8 bytes say so. */
static gzFile open_archive(void) {
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    uint64_t offset;
    if (file < 0 || lseek(file, -(off_t)sizeof offset, SEEK_END) < 0 ||
        read(file, &offset, sizeof offset) != sizeof offset || lseek(file, (off_t)offset, SEEK_SET) < 0)
        fail("read", "/proc/self/exe", strerror(errno), AGAIN);
    gzFile archive = gzdopen(file, "rb");
    if (!archive)
        fail("read", "/proc/self/exe", strerror(errno), AGAIN);
    gzbuffer(archive, 1 << 17);
    if (gzdirect(archive))
        fail("read all of", "/proc/self/exe", "it is cut", AGAIN);
    return archive;
}

static void read_block(gzFile archive, void *block) {
    if (gzread(archive, block, BLOCK) != BLOCK) {
        fail("read all of", "/proc/self/exe", "it is cut", AGAIN);
    }
}

static void unpack_file(gzFile archive, const char *path, mode_t mode, size_t size) {
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    FILE *out = file < 0 ? NULL : fdopen(file, "wb");
    if (!out)
        fail("write", path, strerror(errno), ROOM);
    for (char block[BLOCK]; size > 0;) {
        size_t part = size < BLOCK ? size : BLOCK;
        read_block(archive, block);
        if (fwrite(block, 1, part, out) != part)
            fail("write", path, strerror(errno), ROOM);
        size -= part;
    }
    if (fclose(out) != 0)
        fail("write", path, strerror(errno), ROOM);
}

static void unpack(void) {
    gzFile archive = open_archive();
    for (struct header head; read_block(archive, &head), head.name[0];) {
        mode_t mode = (mode_t)strtoul(head.mode, NULL, 8);
        const char *path = inside(head.name);
        if (head.type == '5' && mkdir(path, mode) != 0)
            fail("make", path, strerror(errno), ROOM);
        if (head.type == '0')
            unpack_file(archive, path, mode, strtoul(head.size, NULL, 8));
    }
    gzclose(archive);
}

/* Become Python: its own loader and libraries, nothing of the user's Python environment (-I), no site-packages (-S). */
static void become(int count, char **arguments) {
    const char *first[] = {
        strdup(inside("ami-exporter")), "--inhibit-cache", "--library-path", strdup(inside("lib")),
        strdup(inside("bin/python3")), "-I", "-S", "-B", strdup(inside("app")),
    };
    size_t known = sizeof first / sizeof *first;
    char **all = calloc(known + (size_t)count, sizeof *all);
    memcpy(all, first, sizeof first);
    memcpy(all + known, arguments + 1, (size_t)(count - 1) * sizeof *all);
    unsetenv("LD_PRELOAD"); /* made for the host's libraries */
    execv(all[0], all);
    fail("start", all[0], strerror(errno), ROOM);
}

int main(int count, char **arguments) {
    make_home();
    leave_cleaner();
    unpack();
    become(count, arguments);
}
