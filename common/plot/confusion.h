/* confusion.h - the confusion matrix of `score --eval`, its text or its JSON. */
#ifndef WEFT_CONFUSION_H
#define WEFT_CONFUSION_H

#include "plot/chart.h"

/* Of a file, NULL: standard input. Gold labels down, answers across; a cell's colour is its share
 * of its row. */
Chart *confusion_chart(char **file, Err *e);

#endif
