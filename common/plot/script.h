/* script.h - a chart as a script for gnuplot(1), which writes the picture to standard output. Texts
 * stand in it between single quotes, where nothing but the quote means anything. */
#ifndef WEFT_SCRIPT_H
#define WEFT_SCRIPT_H

#include "plot/chart.h"

typedef enum PictureKind { PICTURE_PNG, PICTURE_SVG, PICTURE_PDF } PictureKind;

void script_put(Buf *b, const Chart *c, PictureKind kind);

#endif
