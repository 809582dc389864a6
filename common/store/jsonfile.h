/* jsonfile.h - the JSON files of a model folder (jansson; duplicate keys are refused). */
#ifndef WEFT_JSONFILE_H
#define WEFT_JSONFILE_H

#include "base/err.h"
#include "base/mem.h"

#include <jansson.h>
#include <stdbool.h>

/* As json_loadb(), but a text of more values than JSON_VALUES is refused before anything is made of
 * it: jansson takes up to 40 times the bytes of `[],[],`. */
json_t *json_read(Str text, size_t flags, json_error_t *why);
enum { JSON_VALUES = 1 << 20 };
/* A string of a stream's metadata, likewise; NULL where it is no JSON, or s is NULL. */
json_t *json_read_meta(const char *s);

/* A file parsed: release with json_decref. NULL with *e, which names it. */
json_t *jsonfile_read(const char *path, Err *e);
/* FOLDER/NAME likewise; NULL with e's text empty where the file is absent and `optional`. */
json_t *jsonfile_load(const char *folder, const char *name, bool optional, Err *e);
/* Does FOLDER/NAME exist? So does a link to nowhere, which then cannot be opened. */
bool file_exists(const char *folder, const char *name);

/* obj[key] as what it should be, or `other` where the key is absent or null. A value of another
 * type is told in *e (which must be empty before) and `other` is returned. */
int64_t json_get_int(const json_t *obj, const char *key, int64_t other, Err *e);
double json_get_real(const json_t *obj, const char *key, double other, Err *e);
const char *json_get_str(const json_t *obj, const char *key, const char *other, Err *e);
bool json_get_bool(const json_t *obj, const char *key, bool other, Err *e);

#endif
