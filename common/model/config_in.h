/* config_in.h - what config_rope.c reads: what config.json says of turned queries and keys, and of
 * layers that see only what is near. For config*.c alone. */
#ifndef WEFT_CONFIG_IN_H
#define WEFT_CONFIG_IN_H

#include "model/config.h"

/* c's sizes are there. What would be computed in another way is refused by name. */
int config_rope(Config *c, const json_t *j, Err *e);
int config_window(Config *c, const json_t *j, Err *e);

#endif
