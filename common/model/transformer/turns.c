#include "model/transformer/turns.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

enum { LEAST_PLACES = 128 };

/* How fast pair i of a head turns, in radians a place, as transformers has it in f32. Llama 3.1's
 * pairs that turn less than once in the length it first learned are slowed by a factor, those that
 * turn often are not, and those between by something between. */
static float speed_of(const Config *c, double base, int64_t i)
{
    const Rope *r = &c->rope;
    float exponent = (float)(2 * i) / (float)c->turned;
    float speed = 1.0f / powf((float)base, exponent);
    if (r->kind == ROPE_LINEAR)
        return speed / (float)r->factor;
    if (r->kind != ROPE_LLAMA3)
        return speed;
    double wave = 2 * M_PI / (double)speed, length = (double)r->length;
    if (wave > length / r->low)
        return speed / (float)r->factor;
    if (wave < length / r->high)
        return speed;
    float smooth = (float)((length / wave - r->low) / (r->high - r->low));
    return (1 - smooth) * (speed / (float)r->factor) + smooth * speed;
}

static float *turns_new(const Config *c, double base, int64_t places)
{
    int64_t half = c->turned / 2;
    float *t = mem_array((size_t)(places * c->turned), sizeof *t);
    for (int64_t i = 0; i < half; i++) {
        float speed = speed_of(c, base, i);
        for (int64_t at = 0; at < places; at++) {
            float angle = (float)at * speed;
            t[at * c->turned + i] = cosf(angle);
            t[at * c->turned + half + i] = sinf(angle);
        }
    }
    return t;
}

int turns_grow(Turns *t, const Config *c, Device *dev, int64_t places, Err *e)
{
    double base[TURN_SETS] = {c->rope.base, c->rope.near_base};
    if (!c->turned || places <= t->places)
        return 0;
    places = places < LEAST_PLACES ? LEAST_PLACES : places + places / 2;
    size_t bytes = (size_t)(places * c->turned) * sizeof(float);
    for (int i = 0; i < TURN_SETS && base[i] > 0; i++) {
        float *host = turns_new(c, base[i], places);
        void *to = space_grow(&t->space[i], dev, bytes, e);
        if (to)
            dev->put(dev, to, host, bytes);
        free(host);
        if (!to)
            return -1;
    }
    t->places = places;
    return 0;
}

const float *turns_of(const Turns *t, const Config *c, int64_t layer)
{
    bool near = t->space[1].p && config_near(c, layer);
    return t->space[near].p;
}

void turns_free(Turns *t, Device *dev)
{
    for (int i = 0; i < TURN_SETS; i++)
        dev->free(dev, t->space[i].p);
}
