/* hub FOLDER - a Hugging Face hub of the models FOLDER/ORG/NAME/..., on a port of 127.0.0.1 that it
 * prints first. All models are of commit COMMIT (below); `model.safetensors` and other *.bin and
 * *.safetensors are large files: their content lies at /cdn/, where they are redirected to.
 *
 * FOLDER/faults has a fault a line, "PATH FAULT [COUNT]", for requests whose path holds PATH, the
 * first COUNT of them (default: all):
 *     401, 403, 404, 416, 500   that status       429:S  with Retry-After: S
 *     break:N    the connection breaks after N bytes of the body
 *     size:N     it says so many bytes (X-Linked-Size, Content-Length)
 *     garble     a byte is another one           norange  a part asked for is the whole
 *     rename:TO  a redirect to the same path with PATH replaced by TO
 *     commit     another X-Repo-Commit           notag    no ETag
 *     long:N     N spaces behind what it says of the model
 *     mute       an answer without a body
 * FOLDER/log gets a line a request: method, path, Range or -, token or -. */
#include "base/mem.h"
#include "hub/sums.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define COMMIT "0123456789abcdef0123456789abcdef01234567"
enum { FAULTS = 32 };

typedef struct Fault {
    char path[200], kind[200];
    int left; /* -1: always */
} Fault;

typedef struct Request {
    int fd;
    bool head;
    char path[1000], token[200];
    long long from; /* of Range; 0: none */
    const Fault *fault;
} Request;

static const char *folder;
static int port;
static Fault fault[FAULTS];
static int faults;

static void read_faults(void)
{
    char *path = mem_fmt("%s/faults", folder), line[500];
    FILE *f = fopen(path, "re");
    while (f && faults < FAULTS && fgets(line, sizeof line, f)) {
        Fault *x = &fault[faults];
        x->left = -1;
        faults += sscanf(line, "%199s %199s %d", x->path, x->kind, &x->left) >= 2;
    }
    if (f)
        fclose(f);
    free(path);
}

static const Fault *fault_of(const char *path)
{
    for (int i = 0; i < faults; i++)
        if (strstr(path, fault[i].path) && fault[i].left) {
            fault[i].left -= fault[i].left > 0;
            return &fault[i];
        }
    return NULL;
}

static bool is(const Request *r, const char *kind)
{
    return r->fault && strncmp(r->fault->kind, kind, strlen(kind)) == 0;
}

static long long number(const Request *r)
{
    const char *colon = strchr(r->fault->kind, ':');
    return colon ? strtoll(colon + 1, NULL, 10) : 0;
}

/* The reader may have gone: it is his affair. */
static void put(const Request *r, const char *p, size_t n)
{
    for (ssize_t done; n && (done = send(r->fd, p, n, MSG_NOSIGNAL)) > 0; n -= (size_t)done)
        p += done;
}

static void answer(const Request *r, int status, const char *headers)
{
    char *s = mem_fmt("HTTP/1.1 %d X\r\nConnection: close\r\n%sContent-Length: 0\r\n\r\n", status,
                      headers);
    put(r, s, strlen(s));
    free(s);
}

static bool is_large(const char *path)
{
    size_t n = strlen(path);
    return (n > 12 && strcmp(path + n - 12, ".safetensors") == 0) ||
           (n > 4 && strcmp(path + n - 4, ".bin") == 0);
}

/* A file's bytes, or what the fault makes of them. head: what stands in the header already. */
static void send_file(const Request *r, const char *path, const char *head)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        answer(r, 404, "X-Error-Code: EntryNotFound\r\n");
        if (fd >= 0)
            close(fd);
        return;
    }
    char *p = mem_alloc((size_t)st.st_size + 1);
    ssize_t n = read(fd, p, (size_t)st.st_size);
    close(fd);
    long long from = is(r, "norange") || r->from > n ? 0 : r->from;
    long long said = is(r, "size") ? number(r) : n - from;
    if (is(r, "garble") && n)
        p[n / 2] ^= 1;
    char *s = mem_fmt("HTTP/1.1 %d OK\r\nConnection: close\r\n%sContent-Length: %lld\r\n\r\n",
                      from ? 206 : 200, head, said);
    long long size = n - from;
    if (is(r, "break") && number(r) < size)
        size = number(r);
    put(r, s, strlen(s));
    if (!r->head)
        put(r, p + from, (size_t)size);
    free(s);
    free(p);
}

/* /ORG/NAME/resolve/COMMIT/PATH */
static void resolve(const Request *r, const char *model, const char *file)
{
    char *path = mem_fmt("%s%s/%s", folder, model, file), sum[SUM_TEXT] = "";
    struct stat st = {0};
    Err e = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool large = is_large(file);
    if (fd >= 0) {
        fstat(fd, &st);
        sum_file(fd, large ? SUM_SHA256 : SUM_GIT_BLOB, sum, &e);
        close(fd);
    }
    char *tag = is(r, "notag") ? mem_str("")
                : large        ? mem_fmt("X-Linked-Etag: \"%s\"\r\nX-Linked-Size: %lld\r\n", sum,
                                  is(r, "size") ? number(r) : (long long)st.st_size)
                               : mem_fmt("ETag: W/\"%s\"\r\n", sum);
    char *head = mem_fmt("X-Repo-Commit: %s\r\n%s", is(r, "commit") ? "fedcba9" : COMMIT, tag);
    if (fd >= 0 && large) {
        char *to = mem_fmt("%sLocation: http://127.0.0.1:%d/cdn%s/%s\r\n", head, port, model, file);
        answer(r, 302, to);
        free(to);
    } else {
        send_file(r, path, head);
    }
    free(head);
    free(tag);
    free(path);
}

static void list(Buf *b, const char *at, const char *below)
{
    char *path = mem_fmt("%s%s", at, below);
    DIR *d = opendir(path);
    for (struct dirent *x; d && (x = readdir(d));) {
        if (x->d_name[0] == '.')
            continue;
        char *name = mem_fmt("%s%s%s", below, *below ? "/" : "", x->d_name);
        if (x->d_type == DT_DIR)
            list(b, at, name);
        else
            buf_fmt(b, "%s{\"rfilename\":\"%s\"}", b->p[b->n - 1] == '[' ? "" : ",", name);
        free(name);
    }
    if (d)
        closedir(d);
    free(path);
}

/* /api/models/ORG/NAME/revision/REV */
static void info(const Request *r, const char *model)
{
    char *at = mem_fmt("%s%s/", folder, model);
    Buf b = {0};
    if (access(at, R_OK) < 0) {
        answer(r, 401, "X-Error-Message: Invalid username or password.\r\n");
    } else {
        buf_fmt(&b, "{\"id\":\"%s\",\"sha\":\"" COMMIT "\",\"siblings\":[", model + 1);
        list(&b, at, "");
        buf_str(&b, "]}");
        for (long long n = is(r, "long") ? number(r) : 0; n > 0; n--)
            buf_str(&b, " ");
        char *s =
            mem_fmt("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n", b.n);
        put(r, s, strlen(s));
        put(r, b.p, b.n);
        free(s);
    }
    free(b.p);
    free(at);
}

static void rename_to(const Request *r)
{
    const char *at = strstr(r->path, r->fault->path), *to = strchr(r->fault->kind, ':') + 1;
    char *where = mem_fmt("Location: %.*s%s%s\r\n", (int)(at - r->path), r->path, to,
                          at + strlen(r->fault->path));
    answer(r, 307, where);
    free(where);
}

static void serve(Request *r)
{
    static const char api[] = "/api/models", cdn[] = "/cdn/";
    char *cut = strstr(r->path, "/revision/"), *file = strstr(r->path, "/resolve/");
    if (is(r, "rename")) {
        rename_to(r);
    } else if (is(r, "429")) {
        char *wait = mem_fmt("Retry-After: %lld\r\n", number(r));
        answer(r, 429, wait);
        free(wait);
    } else if (is(r, "mute")) {
        answer(r, 200, "");
    } else if (r->fault && strtol(r->fault->kind, NULL, 10) >= 400) {
        answer(r, (int)strtol(r->fault->kind, NULL, 10), "");
    } else if (strncmp(r->path, api, strlen(api)) == 0 && cut) {
        *cut = '\0';
        info(r, r->path + strlen(api));
    } else if (strncmp(r->path, cdn, strlen(cdn)) == 0) {
        char *path = mem_fmt("%s/%s", folder, r->path + strlen(cdn));
        send_file(r, path, "");
        free(path);
    } else if (file) {
        *file = '\0';
        resolve(r, r->path, file + strlen("/resolve/") + strlen(COMMIT) + 1);
    } else {
        answer(r, 404, "");
    }
}

/* Reads the request's head and notes it. */
static bool read_request(Request *r)
{
    char text[8192], method[10] = "", range[60] = "-";
    size_t n = 0;
    for (ssize_t got; n < sizeof text - 1; n += (size_t)got) {
        if ((got = read(r->fd, text + n, sizeof text - 1 - n)) <= 0)
            return false;
        text[n + (size_t)got] = '\0';
        if (strstr(text, "\r\n\r\n"))
            break;
    }
    if (sscanf(text, "%9s %999s", method, r->path) != 2)
        return false;
    r->head = strcmp(method, "HEAD") == 0;
    snprintf(r->token, sizeof r->token, "-");
    for (char *line = text; (line = strstr(line, "\r\n"));) {
        line += 2;
        if (strncasecmp(line, "Range: bytes=", 13) == 0)
            snprintf(range, sizeof range, "%lld", r->from = strtoll(line + 13, NULL, 10));
        if (strncasecmp(line, "Authorization: ", 15) == 0)
            snprintf(r->token, sizeof r->token, "%.*s", (int)strcspn(line + 15, "\r"), line + 15);
    }
    char *path = mem_fmt("%s/log", folder);
    FILE *log = fopen(path, "ae");
    if (log) {
        fprintf(log, "%s %s %s %s\n", method, r->path, range, r->token);
        fclose(log);
    }
    free(path);
    return true;
}

int main(int argc, char **argv)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    if (argc != 2)
        return 2;
    folder = argv[1];
    int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s < 0 || bind(s, (struct sockaddr *)&at, sizeof at) < 0 || listen(s, 16) < 0 ||
        getsockname(s, (struct sockaddr *)&at, &size) < 0) {
        perror("hub");
        return 1;
    }
    read_faults();
    port = ntohs(at.sin_port);
    printf("%d\n", port);
    fflush(stdout);
    for (int fd; (fd = accept(s, NULL, NULL)) >= 0; close(fd)) {
        Request r = {.fd = fd};
        if (!read_request(&r))
            continue;
        r.fault = fault_of(r.path);
        serve(&r);
    }
    return 0;
}
