/* folderkeys - the table of a folder's keys, as weft-model(5) has it: file, key, and the values
 * that it may have. */
#include "store/folderkeys.h"

#include <stdio.h>

int main(void)
{
    for (int i = 0; i < folder_key_count; i++)
        printf("%s\t%s\t%s\n", folder_keys[i].file, folder_keys[i].key,
               folder_keys[i].only ? folder_keys[i].only : "");
    return 0;
}
