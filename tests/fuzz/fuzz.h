/* fuzz.h - what the harnesses share. Each NAME.c feeds any bytes to one surface:
 *
 *     int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
 *     {
 *         Err e = {0};
 *         StFile *s = st_open(fuzz_file("model.safetensors", p, n), &e);
 *         MUST(s || e.text[0]);
 *         ...
 *         return 0;
 *     }
 *
 * libFuzzer thinks up the bytes (make fuzz); replay.c takes them from files (tests/fuzz.bats).
 * A harness ends by coming back: a program's death, by exit() too, is a find. */
#ifndef WEFT_FUZZ_H
#define WEFT_FUZZ_H

#include "base/err.h"
#include "base/mem.h"
#include "io/frame.h"
#include "text/tokenizer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* What has to hold of every input. */
#define MUST(what)                                                                                 \
    do {                                                                                           \
        if (!(what))                                                                               \
            fuzz_broken(__FILE__, __LINE__, #what);                                                \
    } while (0)
_Noreturn void fuzz_broken(const char *file, int line, const char *what);

/* A folder of this process's own in $TMPDIR, made at the first call; whoever set TMPDIR clears. */
const char *fuzz_folder(void);
/* Writes FOLDER/name; its path, which stays until the next call. */
char *fuzz_file(const char *name, const void *p, size_t n);
void fuzz_file_or_none(const char *name, Str s); /* no bytes: it is not there */
/* The path of a golden file or folder ("models/bert-class"), below $TOP; the caller frees it. */
char *fuzz_golden(const char *name);
/* The tokenizer of a golden model ("models/bert-class"), into *loaded the first time. */
Tokenizer *fuzz_tokenizer(const char *model, Tokenizer **loaded);
int fuzz_fd(const void *p, size_t n); /* an unlinked file of these bytes, at its beginning */

/* The first bytes of an input are options: the next one, 0 where there are no more. */
unsigned fuzz_byte(const uint8_t **p, size_t *n);
/* Inputs of several files lie end to end with a line "%%" between them: the next one. */
Str fuzz_part(Str *rest);
/* The bytes as text: a copy in which a space stands for what is no UTF-8, and for NUL. */
Str fuzz_text(const void *p, size_t n); /* the caller frees p */

void fuzz_plain(const Buf *b);            /* holds no control characters but tabs and newlines */
void fuzz_touch(const void *p, size_t n); /* reads every byte */

/* From now on read(2) gives at most so many bytes a call; 0: as many as are asked for. */
void fuzz_chunk(size_t most);

/* Bytes that are a stream, or nearly: a byte 0 and the stream itself, or any other and what build.c
 * makes of the rest. The caller frees p. */
Str fuzz_stream(const uint8_t *p, size_t n);
/* All its frames, joined up to so many tokens (0: not); *ended is 0, or -1 where it is at fault. */
Frame **fuzz_frames(Str stream, int64_t want, int *n, int *ended);
void fuzz_frames_free(Frame **f, int n);
char *fuzz_digest(Frame **f, int n); /* show --digest; the caller frees it */

/* libFuzzer's mutation for inputs of fuzz_stream() behind `skip` bytes of options: in the stream
 * itself lengths of headers stay right, and numbers become other numbers. */
size_t fuzz_mutate_stream(uint8_t *p, size_t n, size_t most, unsigned seed, size_t skip);

#endif
