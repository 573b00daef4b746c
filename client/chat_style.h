/* chat_style: how text looks in the chat. chat_screen makes terminal attributes of it; with colours
 * switched off each still differs from the plain one by bold, faint or reverse where it has to. */
#ifndef WEIR_CLIENT_CHAT_STYLE_H
#define WEIR_CLIENT_CHAT_STYLE_H

enum {
    CHAT_PLAIN,
    CHAT_FAINT,  /* times, rules, what is about a text */
    CHAT_STRONG, /* what is one's own or in use */
    CHAT_FRESH,  /* unread, mentions */
    CHAT_ALERT,  /* waits, failed, cannot be trusted */
    CHAT_BAR,    /* the bars above and below */
    CHAT_BAR_ALERT,
    CHAT_PERSON,      /* the first of the people's colours */
    CHAT_PEOPLE = 12, /* of them */
    CHAT_STYLES = CHAT_PERSON + CHAT_PEOPLE,
    CHAT_CHOSEN = 32 /* or'ed to one of these: of the message that is selected */
};

#endif
