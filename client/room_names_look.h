/* room_names_look: what a nickname looks like, so that nobody passes for another. Not all that may
 * be taken for another letter (UTS #39 lists thousands): what nobody sees, capitals, and the
 * letters of Greek and Cyrillic, and digits, that are drawn as Latin ones. */
#ifndef WEIR_CLIENT_ROOM_NAMES_LOOK_H
#define WEIR_CLIENT_ROOM_NAMES_LOOK_H

#include <stdbool.h>

/* A safe line (client/safe_text.h) as an eye in a hurry reads it, terminated: two that look the
 * same are the same. `look` has room for as many bytes as the line. */
void room_names_look(const char *line, char *look);

/* Are there Latin letters in it beside Greek or Cyrillic ones, or letters in parts, which are drawn
 * as the whole one (e and U+0301 as é; of Hangul and kana, too)? */
bool room_names_deceives(const char *line);

#endif
