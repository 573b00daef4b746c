/* Values as people and as programs read them. */
#include "client/cli.h"
#include "client/safe_text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FIELD_MARK "base64:"

/* A JSON object's key must be a string: bytes that are not UTF-8 are spelled "base64:…", and so is
 * a text that starts like that, or two fields would have one name. */
static void print_json_field(FILE *out, struct weir_bytes bytes)
{
    json_t *text = json_stringn(bytes.size ? bytes.data : "", bytes.size);
    bool marked =
        bytes.size >= strlen(FIELD_MARK) && memcmp(bytes.data, FIELD_MARK, strlen(FIELD_MARK)) == 0;
    json_decref(text);
    if (text && !marked) {
        print_json_bytes(out, bytes);
        return;
    }
    fputs("\"" FIELD_MARK, out);
    print_base64(out, bytes);
    fputc('"', out);
}

static void print_bytes(FILE *out, struct weir_bytes bytes)
{
    fwrite(bytes.data, 1, bytes.size, out);
}

static void print_time(FILE *out, uint64_t ms)
{
    char text[40];
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    if (!gmtime_r(&seconds, &tm)) {
        fprintf(out, "%llu ms", (unsigned long long)ms);
        return;
    }
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    fprintf(out, "%s.%03uZ", text, (unsigned)(ms % 1000));
}

/* --- kinds ----------------------------------------------------------------------------------- */

struct printer {
    FILE *out;
    size_t printed;
    void (*bytes)(FILE *out, struct weir_bytes bytes); /* of values, as text */
};

typedef void print_item_fn(struct printer *self, const struct weir_item *item);

static void comma(struct printer *self)
{
    if (self->printed)
        fputc(',', self->out);
}

static void json_number(struct printer *self, const struct weir_item *item)
{
    fprintf(self->out, "%lld", (long long)item->number);
}

static void json_value(struct printer *self, const struct weir_item *item)
{
    comma(self);
    print_json_bytes(self->out, item->value);
}

static void json_field(struct printer *self, const struct weir_item *item)
{
    comma(self);
    print_json_field(self->out, item->name);
    fputc(':', self->out);
    print_json_bytes(self->out, item->value);
}

static void json_entry(struct printer *self, const struct weir_item *item)
{
    comma(self);
    fprintf(self->out, "{\"time\":%llu,\"data\":", (unsigned long long)item->time_ms);
    print_json_bytes(self->out, item->value);
    if (item->writer) {
        char writer[WEIR_KEY_TEXT_MAX];
        weir_key_print(item->writer, writer);
        fprintf(self->out, ",\"writer\":\"%s\"", writer);
    }
    fputc('}', self->out);
}

/* A room's message: as a log's entry, with the name that its author has. */
static void json_message(struct printer *self, const struct weir_item *item)
{
    comma(self);
    fprintf(self->out, "{\"time\":%llu,\"name\":", (unsigned long long)item->time_ms);
    print_json_bytes(self->out, item->name);
    fputs(",\"text\":", self->out);
    print_json_bytes(self->out, item->value);
    char writer[WEIR_KEY_TEXT_MAX];
    weir_key_print(item->writer, writer);
    fprintf(self->out, ",\"writer\":\"%s\"}", writer);
}

static void text_number(struct printer *self, const struct weir_item *item)
{
    json_number(self, item);
}

static void text_value(struct printer *self, const struct weir_item *item)
{
    self->bytes(self->out, item->value);
}

static void text_field(struct printer *self, const struct weir_item *item)
{
    self->bytes(self->out, item->name);
    fputc('\t', self->out);
    self->bytes(self->out, item->value);
}

static void text_entry(struct printer *self, const struct weir_item *item)
{
    print_time(self->out, item->time_ms);
    fputc('\t', self->out);
    self->bytes(self->out, item->value);
}

static void text_message(struct printer *self, const struct weir_item *item)
{
    print_time(self->out, item->time_ms);
    fputc('\t', self->out);
    self->bytes(self->out, item->name);
    fputc('\t', self->out);
    self->bytes(self->out, item->value);
}

/* How each kind is printed. `nothing`: the JSON of a value that has no item. */
static const struct form {
    const char *kind, *open, *nothing, *close;
    print_item_fn *json, *text;
    bool by_anyone; /* its text is shown safely wherever it goes */
} forms[] = {
    {"counter", "{\"value\":", "0", "}", json_number, text_number, false},
    {"register", "{\"value\":", "null", "}", json_value, text_value, false},
    {"multi-register", "{\"values\":[", "", "]}", json_value, text_value, false},
    {"set", "[", "", "]", json_value, text_value, false},
    {"map", "{", "", "}", json_field, text_field, false},
    {"log", "[", "", "]", json_entry, text_entry, false},
    {"room", "[", "", "]", json_message, text_message, true},
};

static const struct form *form_of(const weir_contract_t *contract)
{
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        if (strcmp(forms[i].kind, weir_contract_kind(contract)) == 0)
            return &forms[i];
    return NULL;
}

/* --- walks ----------------------------------------------------------------------------------- */

struct walk {
    struct printer printer;
    print_item_fn *print;
    const char *after;        /* after each item */
    const char *removed_mark; /* before a removed one; NULL: those are passed over */
};

static int on_item(void *arg, const struct weir_item *item)
{
    struct walk *walk = arg;
    if (item->removed && !walk->removed_mark)
        return 0;
    if (item->removed) {
        fputs(walk->removed_mark, walk->printer.out);
        struct weir_bytes bytes = item->name.size ? item->name : item->value;
        walk->printer.bytes(walk->printer.out, bytes);
    } else {
        walk->print(&walk->printer, item);
    }
    fputs(walk->after, walk->printer.out);
    walk->printer.printed++;
    return 0;
}

/* A value's bytes as they are, but for a terminal. */
static struct printer printer_of(FILE *out, bool for_terminal, const struct form *form)
{
    return (struct printer){out, 0,
                            form->by_anyone ? safe_text_print
                            : for_terminal  ? safe_text_print_lines
                                            : print_bytes};
}

static bool is_terminal(FILE *out)
{
    return isatty(fileno(out));
}

static int no_form(const weir_contract_t *contract, struct weir_reason *why)
{
    if (why)
        snprintf(why->text, sizeof why->text, "a %s cannot be printed; use --raw",
                 weir_contract_kind(contract));
    return WEIR_BAD_KIND;
}

int print_json_value(FILE *out, const weir_contract_t *contract, struct weir_bytes state,
                     struct weir_reason *why)
{
    const struct form *form = form_of(contract);
    if (!form)
        return no_form(contract, why);
    struct walk walk = {printer_of(out, false, form), form->json, "", NULL};
    fputs(form->open, out);
    int rc = weir_items(contract, state, on_item, &walk, why);
    fputs(walk.printer.printed ? "" : form->nothing, out);
    fputs(form->close, out);
    return rc;
}

int print_text_value(FILE *out, const weir_contract_t *contract, struct weir_bytes state,
                     struct weir_reason *why)
{
    const struct form *form = form_of(contract);
    if (!form)
        return no_form(contract, why);
    struct walk walk = {printer_of(out, is_terminal(out), form), form->text, "\n", NULL};
    return weir_items(contract, state, on_item, &walk, why);
}

struct removals {
    FILE *out;
    size_t printed;
};

static int on_removal(void *arg, const struct weir_item *item)
{
    struct removals *self = arg;
    if (!item->removed)
        return 0;
    fputs(self->printed++ ? "," : ",\"removed\":[", self->out);
    print_json_bytes(self->out, item->name.size ? item->name : item->value);
    return 0;
}

int print_json_removed(FILE *out, const weir_contract_t *contract, struct weir_bytes delta,
                       struct weir_reason *why)
{
    struct removals removals = {out, 0};
    int rc = weir_items(contract, delta, on_removal, &removals, why);
    fputs(removals.printed ? "]" : "", out);
    return rc;
}

/* One line whatever the bytes are: what would break it is spelled as in C. */
static void print_escaped(FILE *out, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\n')
            fputs("\\n", out);
        else if (text[i] == '\r')
            fputs("\\r", out);
        else
            fputc(text[i], out);
    }
}

int print_text_delta(FILE *out, const weir_contract_t *contract, struct weir_bytes delta,
                     struct weir_reason *why)
{
    const struct form *form = form_of(contract);
    char *text = NULL;
    size_t size = 0;
    FILE *line = form ? open_memstream(&text, &size) : NULL;
    if (!line)
        return form ? WEIR_NO_MEMORY : no_form(contract, why);
    struct walk walk = {printer_of(line, is_terminal(out), form), form->text, "\t", "-"};
    int rc = weir_items(contract, delta, on_item, &walk, why);
    fclose(line);
    print_escaped(out, text, size ? size - 1 : 0); /* without the last tab */
    fputc('\n', out);
    free(text);
    return rc;
}
