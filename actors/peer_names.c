#include "actors/peer_names.h"

#include "base/limits.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

bool host_port_parse(const char *text, struct host_port *parts)
{
    const char *colon = strrchr(text, ':'), *host = text;
    char *end;
    if (!colon || colon == text)
        return false;
    size_t size = (size_t)(colon - text);
    if (text[0] == '[') {
        if (colon[-1] != ']')
            return false;
        host++;
        size -= 2;
    } else if (memchr(text, ':', size)) {
        return false;
    }
    unsigned long port = strtoul(colon + 1, &end, 10);
    if (size == 0 || size >= sizeof parts->host || colon[1] < '0' || colon[1] > '9' || *end ||
        port > UINT16_MAX)
        return false;
    (void)snprintf(parts->host, sizeof parts->host, "%.*s", (int)size, host);
    (void)snprintf(parts->port, sizeof parts->port, "%lu", port);
    return true;
}

int names_numeric(const struct host_port *parts, struct addrinfo **found)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                   .ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    return getaddrinfo(parts->host, parts->port, &hints, found) == 0 ? 0 : ERR_NOT_FOUND;
}

/* The IPv4 address that an address is or stands for; NULL: neither. */
static const uint8_t *ipv4_of(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET)
        return (const uint8_t *)&((const struct sockaddr_in *)(const void *)address)->sin_addr;
    const struct in6_addr *six = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    return IN6_IS_ADDR_V4MAPPED(six) ? six->s6_addr + 12 : NULL;
}

void address_text(const struct sockaddr_storage *address, char *text, size_t size)
{
    char host[INET6_ADDRSTRLEN] = "?";
    const uint8_t *ipv4 = ipv4_of(address);
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)address;
    unsigned port = ntohs(six->sin6_port); /* at the same place in both */
    if (ipv4)
        (void)snprintf(text, size, "%u.%u.%u.%u:%u", ipv4[0], ipv4[1], ipv4[2], ipv4[3], port);
    else if (inet_ntop(AF_INET6, &six->sin6_addr, host, sizeof host))
        (void)snprintf(text, size, "[%s]:%u", host, port);
}

void address_prefix(const struct sockaddr_storage *address, uint8_t prefix[16])
{
    const uint8_t *ipv4 = ipv4_of(address);
    memset(prefix, 0, 16);
    if (ipv4) {
        prefix[10] = prefix[11] = 0xff;
        memcpy(prefix + 12, ipv4, 3);
    } else {
        memcpy(prefix, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, 6);
    }
}

/* --- looking up -------------------------------------------------------------------------- */

struct question {
    struct question *next;
    uint64_t tag;
    struct host_port parts;
    struct addrinfo *found;
    int error;
};

/* Shared with the thread; who lets go last frees it. */
struct names {
    pthread_mutex_t lock;
    pthread_cond_t asked;
    struct question *questions, *answers; /* questions: oldest last */
    size_t open;
    int event;
    bool started, over;
};

static void free_questions(struct question *question)
{
    for (struct question *next; question; question = next) {
        next = question->next;
        if (question->found)
            freeaddrinfo(question->found);
        free(question);
    }
}

static void free_names(struct names *self)
{
    free_questions(self->questions);
    free_questions(self->answers);
    close(self->event);
    pthread_cond_destroy(&self->asked);
    pthread_mutex_destroy(&self->lock);
    free(self);
}

names_t *names_new(void)
{
    names_t *self = (names_t *)calloc(1, sizeof *self);
    if (!self)
        return NULL;
    self->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (self->event < 0) {
        free(self);
        return NULL;
    }
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->asked, NULL);
    return self;
}

static struct question *take_oldest(struct question **list)
{
    while (*list && (*list)->next)
        list = &(*list)->next;
    struct question *oldest = *list;
    *list = NULL;
    return oldest;
}

static void look_up(struct question *question)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    question->error =
        getaddrinfo(question->parts.host, question->parts.port, &hints, &question->found);
    if (question->error)
        question->found = NULL;
}

static void *answer_all(void *argument)
{
    struct names *self = (struct names *)argument;
    pthread_mutex_lock(&self->lock);
    while (!self->over) {
        struct question *question = self->questions ? take_oldest(&self->questions) : NULL;
        if (!question) {
            pthread_cond_wait(&self->asked, &self->lock);
            continue;
        }
        pthread_mutex_unlock(&self->lock);
        look_up(question);
        pthread_mutex_lock(&self->lock);
        question->next = self->answers;
        self->answers = question;
        (void)eventfd_write(self->event, 1);
    }
    pthread_mutex_unlock(&self->lock);
    free_names(self);
    return NULL;
}

static bool start(struct names *self)
{
    pthread_t thread;
    if (self->started)
        return true;
    self->started = pthread_create(&thread, NULL, answer_all, self) == 0;
    if (self->started)
        pthread_detach(thread);
    return self->started;
}

void names_destroy(names_t **pointer)
{
    names_t *self = *pointer;
    if (!self)
        return;
    *pointer = NULL;
    if (!self->started) {
        free_names(self);
        return;
    }
    pthread_mutex_lock(&self->lock);
    self->over = true;
    pthread_cond_signal(&self->asked);
    pthread_mutex_unlock(&self->lock);
}

int names_descriptor(const names_t *self)
{
    return self->event;
}

int names_ask(names_t *self, uint64_t tag, const struct host_port *parts)
{
    if (self->open >= RESOLVES_MAX)
        return ERR_BUSY;
    struct question *question = (struct question *)calloc(1, sizeof *question);
    if (!question || !start(self)) {
        free(question);
        return ERR_NO_MEMORY;
    }
    question->tag = tag;
    question->parts = *parts;
    self->open++;
    pthread_mutex_lock(&self->lock);
    question->next = self->questions;
    self->questions = question;
    pthread_cond_signal(&self->asked);
    pthread_mutex_unlock(&self->lock);
    return 0;
}

bool names_take(names_t *self, uint64_t *tag, struct addrinfo **found, int *error)
{
    eventfd_t count;
    pthread_mutex_lock(&self->lock);
    struct question *answer = self->answers ? take_oldest(&self->answers) : NULL;
    if (!answer)
        (void)eventfd_read(self->event, &count);
    pthread_mutex_unlock(&self->lock);
    if (!answer)
        return false;
    *tag = answer->tag;
    *found = answer->found;
    *error = answer->error;
    free(answer);
    self->open--;
    return true;
}
