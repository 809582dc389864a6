/* config_in.h - what config_rope.c reads: what config.json says of turned queries and keys, and of
 * layers that see only what is near; and
 * config_far.c: of distances. For config*.c alone. */
#ifndef WEFT_CONFIG_IN_H
#define WEFT_CONFIG_IN_H

#include "model/config.h"

/* c's sizes are there. What would be computed in another way is refused by name. */
int config_rope(Config *c, const json_t *j, Err *e);
int config_window(Config *c, const json_t *j, Err *e);
/* The activation that config.json calls so. */
int config_act(const char *key, const char *name, Act *to, Err *e);
/* What config.json says of distances that queries and keys meet, and attention's scale with them.
 */
int config_far(Config *c, const json_t *j, Err *e);

#endif
