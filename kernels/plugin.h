/* plugin.h - by what a plug-in and the programs know that both were built for the same table: a
 * plug-in of an older build would be called at the wrong places, with arguments of another shape.
 * weft-cuda.so exports, beside what opens a device,
 *
 *     TableBuild weft_cuda_build(void) { return table_build(); } */
#ifndef WEFT_PLUGIN_H
#define WEFT_PLUGIN_H

#include "kernels/device.h"

/* To be raised where something of the table comes to mean another thing in the same shape. */
enum { TABLE_VERSION = 2 };

typedef struct TableBuild {
    int64_t version;
    uint64_t hash; /* of the operations' names and order, the sizes of what is passed, and counts */
} TableBuild;

/* FNV-1a of a name and a number. */
static inline uint64_t table_hash(uint64_t h, const char *name, uint64_t number)
{
    for (; *name; name++)
        h = (h ^ (unsigned char)*name) * 0x100000001b3;
    for (int i = 0; i < 64; i += 8)
        h = (h ^ (number >> i & 255)) * 0x100000001b3;
    return h;
}

static inline TableBuild table_build(void)
{
    TableBuild b = {TABLE_VERSION, 0xcbf29ce484222325};
#define SIZE(name, Type) b.hash = table_hash(b.hash, #name, sizeof(Type));
#define NUMBER(count) b.hash = table_hash(b.hash, #count, count);
    SIZE(device, Device)
    SIZE(batch, Batch)
    SIZE(piece, Piece)
    SIZE(view, View)
    SIZE(far, AttendFar)
    OPS(SIZE, SIZE)
    NUMBER(ACT_COUNT)
    NUMBER(K_TYPES)
    NUMBER(STEP_KINDS)
    NUMBER(THIN_FORMS)
#undef SIZE
#undef NUMBER
    return b;
}

#endif
