#include "hub/sums.h"

#include "base/mem.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 1 << 20 };

static int failed(Err *e)
{
    return err_set(e, "libcrypto cannot work out its sum");
}

static int add_file(EVP_MD_CTX *c, int fd, Err *e)
{
    char *p = mem_alloc(CHUNK);
    ssize_t n;
    off_t at = 0;
    while ((n = pread(fd, p, CHUNK, at)) > 0 || (n < 0 && errno == EINTR)) {
        if (n > 0 && !EVP_DigestUpdate(c, p, (size_t)n))
            break;
        at += n > 0 ? n : 0;
    }
    free(p);
    return n < 0 ? err_sys(e, "cannot read") : n > 0 ? failed(e) : 0;
}

int sum_file(int fd, SumKind kind, char out[SUM_TEXT], Err *e)
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    struct stat st;
    if (fstat(fd, &st) < 0)
        return err_sys(e, "cannot stat");
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    if (!c || !EVP_DigestInit_ex(c, kind == SUM_SHA256 ? EVP_sha256() : EVP_sha1(), NULL)) {
        EVP_MD_CTX_free(c);
        return err_set(e, "libcrypto has no %s", kind == SUM_SHA256 ? "SHA-256" : "SHA-1");
    }
    int status = 0;
    if (kind == SUM_GIT_BLOB) {
        char head[40];
        int len = snprintf(head, sizeof head, "blob %lld", (long long)st.st_size);
        status = EVP_DigestUpdate(c, head, (size_t)len + 1) ? 0 : failed(e);
    }
    if (status == 0)
        status = add_file(c, fd, e);
    if (status == 0 && !EVP_DigestFinal_ex(c, sum, &n))
        status = failed(e);
    EVP_MD_CTX_free(c);
    for (unsigned i = 0; i < n && 2 * i + 2 < SUM_TEXT; i++)
        snprintf(out + 2 * (size_t)i, 3, "%02x", sum[i]);
    return status;
}
