/* report: the JSON that operators see. */
#ifndef WEIR_ACTORS_REPORT_H
#define WEIR_ACTORS_REPORT_H

#include "actors/messages.h"

/* Appends one contract's object: key, kind, name, entries, bytes, fingerprint. */
void report_contract(const struct held *held, struct buffer *out);

/* What a node is for as long as it runs, for STATUS. Texts, borrowed. */
struct node_facts {
    const char *id;
    const char *role;       /* peer, gateway */
    const char *network;    /* its name */
    const char *listen;     /* where peers are served, as bound; none */
    const char *advertised; /* what peers are told to dial; "": nothing */
};

/* What the client socket counts, for STATUS. */
struct client_counters {
    uint64_t connected, open;
    uint64_t requests, replies, notifications, refused, discarded;
    uint64_t turned_away; /* connections: there were as many as may be */
};

/* A text as the request's JSON (taken over; NULL: out of memory). Sets the request's code. */
void report_answer(struct request *request, char *text);

/* The STATUS answer, of what storage and connections put in the request: a new terminated string
 * that the caller frees, or NULL without memory. */
char *report_status(const struct request *request, const struct client_counters *clients,
                    const struct node_facts *facts, uint64_t uptime_ms);

/* What a check found, what a backup copied: the same. */
char *report_check(const struct check_report *report);
char *report_backup(const char *dir, uint64_t bytes);

#endif
