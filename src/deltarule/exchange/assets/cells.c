#if !exported
/* An example of what is written here, for editors and compilers that read this file as it is. */
#include <math.h>
#include <stdbool.h>
#define has_columns 1
#define has_dates 1
#define has_units 1
enum { N_COLUMNS = 1, N_INPUTS = 1 };
typedef struct { int column; const char *kind, *part; } Source;
static const Source SOURCES[] = {{0, "number", ""}};
static const char *const MISSING[] = {""}, *const CURRENCIES[] = {"$"}, *const NO_YES[][2] = {{"no", "yes"}};
static const struct { const char *word; double factor; } TIMES[] = {{"k", 1e3}};
static const struct { const char *word; int number; } MONTHS[] = {{"jan", 1}};
#define has_sentinels 1
#define __LETTERS__ "g"
#endif
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How cells are read: what stands for a missing one, in small letters; no and yes; currencies. */
// __TOKENS__
enum { N_CELL = 256 };

/* How many bytes of a text are this word, in any case of ASCII letters: all of it, or none. */
static size_t begins(const char *text, const char *word)
{
    size_t n = 0;
    for (; word[n] != '\0'; n++)
        if (tolower((unsigned char)text[n]) != tolower((unsigned char)word[n]))
            return 0;
    return n;
}

static bool is_word(const char *text, const char *word)
{
    return strlen(text) == strlen(word) && begins(text, word) == strlen(word);
}

/* How many bytes of a text are one space, as it stands between thousands, too. */
static size_t space(const char *text)
{
    static const char *const SPACES[] = {" ", "\t", "\r", "\n", "\302\240", "\342\200\207", "\342\200\211", "\342\200\257",
        "\342\200\213", "\342\200\214", "\342\200\215", "\342\200\216", "\342\200\217", "\342\201\240", "\357\273\277",
        "\302\255"};
    for (size_t i = 0; i < sizeof SPACES / sizeof *SPACES; i++)
        if (strncmp(text, SPACES[i], strlen(SPACES[i])) == 0)
            return strlen(SPACES[i]);
    return 0;
}

static const char *after_spaces(const char *text)
{
    while (space(text))
        text += space(text);
    return text;
}

/* A cell without space around it; what is too long for any category is cut. */
static void trim(const char *cell, char text[N_CELL])
{
    cell = after_spaces(cell);
    size_t n = strlen(cell) < N_CELL ? strlen(cell) : N_CELL - 1;
    memcpy(text, cell, n);
    text[n] = '\0';
    for (size_t i = n; i-- > 0;)
        if (space(text + i) && text[i + space(text + i)] == '\0')
            text[i] = '\0';
}

/* Whether a text stands for a missing cell. */
static bool is_missing(const char *text)
{
    for (size_t i = 0; i < sizeof MISSING / sizeof *MISSING; i++)
        if (is_word(text, MISSING[i]))
            return true;
    return false;
}

/* Pass over a sign, if there is one; whether it is a minus. */
static bool sign(const char **text)
{
    static const char *const SIGNS[] = {"+", "-", "\342\210\222", "\342\200\223"};
    for (size_t i = 0; i < sizeof SIGNS / sizeof *SIGNS; i++)
        if (begins(*text, SIGNS[i])) {
            *text += strlen(SIGNS[i]);
            return i > 0;
        }
    return false;
}

/* Pass over a currency, if there is one. */
static bool currency(const char **text)
{
    for (size_t i = 0; i < sizeof CURRENCIES / sizeof *CURRENCIES; i++)
        if (begins(*text, CURRENCIES[i])) {
            *text += strlen(CURRENCIES[i]);
            return true;
        }
    return false;
}

/* Pass over what multiplies the number before it, if there is anything, and give by how much. */
static double times(const char **text)
{
    for (size_t i = 0; i < sizeof TIMES / sizeof *TIMES; i++) {
        size_t n = begins(*text, TIMES[i].word);
        if (n > 1 || (n == 1 && **text == *TIMES[i].word)) {
            *text += n;
            return TIMES[i].factor;
        }
    }
    return 1;
}

/* What stands between two thousands: 2 for the other mark, 1 for a space or an apostrophe, 0 for neither. */
static int between(const char *text, char other, size_t *n)
{
    *n = *text == other || *text == '\'' ? 1 : begins(text, "\342\200\231") ? 3 : space(text);
    return *text == other ? 2 : *n > 0;
}

/* Copy the digits of a whole number, perhaps with thousands apart, and pass over them; false if they are none. */
static bool whole(const char **text, char point, char *digits, size_t *n)
{
    int mark = 0;
    size_t group = 0, groups = 0, shortest = 3, longest = 0;
    bool sound = **text != '0';
    for (;;) {
        for (group = 0; isdigit((unsigned char)**text) && *n < N_CELL - 8; group++)
            digits[(*n)++] = *(*text)++;
        size_t skip;
        int next = between(*text, point == '.' ? ',' : '.', &skip);
        if (groups == 0 && (group == 0 || group > 3))
            sound = false;
        if (!next || !isdigit((unsigned char)(*text)[skip]))
            return groups == 0 || (sound && group == 3 && (shortest == 3 || (longest == 2 && mark == 2)));
        if (groups > 0) {
            shortest = group < shortest ? group : shortest;
            longest = group > longest ? group : longest;
            sound = sound && (group == 3 || group == 2) && next == mark;
        }
        mark = next;
        groups++;
        *text += skip;
    }
}

/* Pass over the parenthesis that ends the one that is open, if it is there. */
static void closed(const char **text, bool *open)
{
    if (*open && **text == ')') {
        *open = false;
        *text = after_spaces(*text + 1);
    }
}

/* A number, perhaps with thousands apart, a currency, percent, or in parentheses; else not a number. */
static double clothed(const char *cell, char point)
{
    char text[N_CELL], digits[N_CELL + 8];
    const char *p = text;
    size_t n = 0;
    trim(cell, text);
    bool negative = sign(&p);
    p = after_spaces(p);
    bool money = currency(&p);
    p = after_spaces(p);
    bool open = *p == '(';
    p = after_spaces(p + open);
    negative = sign(&p) || negative || open;
    p = after_spaces(p);
    money = currency(&p) || money;
    p = after_spaces(p);
    if (!whole(&p, point, digits, &n))
        return NAN;
    size_t before = n;
    if (*p == point) {
        digits[n++] = '.';
        for (p++; isdigit((unsigned char)*p) && n < N_CELL - 8; p++)
            digits[n++] = *p;
        for (int i = 0; i < 2 && digits[n - 1] == '.'; i++) /* 12.- is 12 */
            p += *p == '-' ? 1 : begins(p, "\342\200\223") + begins(p, "\342\200\224");
    }
    if (before == 0 && n < 2)
        return NAN;
    if ((*p == 'e' || *p == 'E') && isdigit((unsigned char)p[p[1] == '+' || p[1] == '-' ? 2 : 1])) {
        digits[n++] = *p++;
        do
            digits[n++] = *p++;
        while (isdigit((unsigned char)*p) && n < N_CELL);
    }
    digits[n] = '\0';
    p = after_spaces(p);
    closed(&p, &open);
    double factor = 1;
    if (!currency(&p)) {
        bool million = *p == 'm' && (p[1] == '\0' || !isalpha((unsigned char)p[1]));
        const char *m = after_spaces(p + million);
        million = million && (money || currency(&m));
        factor = million ? 1e6 : times(&p);
        p = after_spaces(p + million);
        currency(&p);
    }
    p = after_spaces(p);
    p += *p == '%' ? 1 : begins(p, "\342\200\260");
    p = after_spaces(p);
    closed(&p, &open);
    negative = *p == '-' || negative;
    p += *p == '-';
    double value = strtod(digits, NULL) * factor;
    return *p != '\0' || open || isinf(value) ? NAN : negative ? -value : value;
}
#if has_units

/* Cut this unit off behind the number of a text. */
static void without_unit(char *text, const char *unit)
{
    size_t end = strlen(text), n = strlen(unit);
    while (end > 0 && !isdigit((unsigned char)text[end - 1]))
        end--;
    if (end == 0)
        return;
    end += text[end] == '.' || text[end] == ',';
    const char *its = after_spaces(text + end);
    bool apart = its > text + end;
    size_t length = strlen(its);
    while (length > 0 && its[length - 1] == '.')
        length--;
    bool plural = length > 3 && tolower((unsigned char)its[length - 1]) == 's';
    bool same = begins(its, unit) == n && length - plural == n;
    if (same && (apart || n > 1 || strstr(__LETTERS__, unit)))
        text[end] = '\0';
}
#endif

/* The number that a cell is; not a number where it is missing or none. */
static double number(const char *cell, const char *kind)
{
    char text[N_CELL];
#if has_sentinels
    const char *without = strstr(kind, " without ");
    if (without) {
        snprintf(text, N_CELL, "%.*s", (int)(without - kind), kind);
        double value = number(cell, text);
        return value == strtod(without + strlen(" without "), NULL) ? NAN : value;
    }
#endif
    trim(cell, text);
    if (is_missing(text))
        return NAN;
    bool yes_no = strcmp(kind, "yes-no") == 0 || is_word(text, "true") || is_word(text, "false");
    for (size_t i = 0; yes_no && i < sizeof NO_YES / sizeof *NO_YES; i++)
        for (int yes = 0; yes < 2; yes++)
            if (is_word(text, NO_YES[i][yes]))
                return yes;
    if (yes_no)
        return NAN;
#if has_units
    if (strncmp(kind, "unit ", 5) == 0)
        without_unit(text, kind + 5);
#endif
    bool comma = strcmp(kind, "comma") == 0;
    double value = clothed(text, comma ? ',' : '.');
    return isnan(value) ? clothed(text, comma ? '.' : ',') : value;
}
#if has_dates

/* Pass over digits, at most so many, and say how many there are. */
static int digits_of(const char **text, int most, int *value)
{
    int n = 0;
    for (*value = 0; n < most && isdigit((unsigned char)**text); n++)
        *value = 10 * *value + (*(*text)++ - '0');
    return n;
}

/* Pass over a month: one or two digits, a name, a quarter; 0 where it is none. */
static int month_of(const char **text, bool quarters)
{
    // __MONTHS__
    int month = 0;
    if (digits_of(text, 2, &month))
        return month;
    if (quarters && **text == 'Q' && (*text)[1] >= '1' && (*text)[1] <= '4') {
        *text += 2;
        return 3 * ((*text)[-1] - '0') - 2;
    }
    for (size_t m = 0; m < sizeof MONTHS / sizeof *MONTHS; m++)
        if (begins(*text, MONTHS[m].word))
            month = MONTHS[m].number;
    for (int n = 0; n < 10 && (isalpha((unsigned char)**text) || (**text >= '\303' && **text <= '\305')); n++)
        *text += isalpha((unsigned char)**text) ? 1 : 2;
    *text += **text == '.';
    return month;
}

/* Pass over what stands between year, month and day, with space around it; whether there is anything. */
static bool separator(const char **text)
{
    const char *start = *text, *p = after_spaces(start);
    if (*p == '-' || *p == '/' || *p == '.')
        p++;
    else if (begins(p, "\345\271\264") || begins(p, "\346\234\210")) /* year and month in Chinese */
        p += 3;
    *text = after_spaces(p);
    return *text > start;
}

/* Pass over a time of day, perhaps with its zone; false where there is something else. */
static bool time_of(const char **text, bool with_zone, int *hour, int *minute, int *second)
{
    int ignored, n;
    const char *p = *text;
    if (!digits_of(&p, with_zone ? 2 : 3, hour) || *p++ != ':' || digits_of(&p, 2, minute) != 2)
        return false;
    if (*p == ':') {
        p++;
        if (digits_of(&p, 2, second) != 2)
            return false;
        if ((*p == '.' || *p == ',') && isdigit((unsigned char)p[1]))
            for (p++; isdigit((unsigned char)*p);)
                p++;
    }
    p = after_spaces(p);
    char half = (char)tolower((unsigned char)*p);
    const char *m = p + 1 + (half != '\0' && p[1] == '.');
    if ((half == 'a' || half == 'p') && tolower((unsigned char)*m) == 'm') {
        *hour = *hour % 12 + 12 * (half == 'p');
        p = after_spaces(m + 1 + (m[1] == '.'));
    }
    if (!with_zone || *p == 'Z')
        p += with_zone;
    else if (isupper((unsigned char)*p)) {
        for (n = 0; n < 4 && isupper((unsigned char)*p); n++)
            p++;
        if (n < 3)
            return false;
    } else if ((*p == '+' || *p == '-') && isdigit((unsigned char)p[1])) {
        p++;
        if (digits_of(&p, 2, &ignored) != 2)
            return false;
        p += *p == ':';
        n = digits_of(&p, 2, &ignored);
        if (n == 1 || (n == 0 && p[-1] == ':'))
            return false;
    }
    *text = p;
    return true;
}

/* Pass over a day of the week before a date; where the month comes first, only over one in full. */
static void weekday(const char **text, bool month_first)
{
    const char *p = *text;
    while (isalpha((unsigned char)*p))
        p++;
    if (p - *text < (month_first ? 6 : 3) || p - *text > 9)
        return;
    bool is_day = !month_first || begins(p - 3, "day");
    p += *p == ',';
    if (space(p) && (is_day || isalpha((unsigned char)*after_spaces(p))))
        *text = after_spaces(p);
}

/* Read year, month and day in the order that letters say; false where a text is no such date. */
static bool ordered(const char **text, const char *order, int *year, int *month, int *day)
{
    bool quarters = strlen(order) == 2, number = isdigit((unsigned char)**text);
    for (const char *letter = order; *letter != '\0'; letter++) {
        if (letter > order && !separator(text) && !(quarters && **text == 'Q'))
            return false;
        if (*letter == 'y') {
            int n = digits_of(text, 4, year);
            if (n != 4 && !(n == 2 && letter > order && !(quarters && number)))
                return false;
            *year += n == 4 ? 0 : *year < 30 ? 2000 : 1900;
        } else if (*letter == 'm') {
            *month = month_of(text, quarters);
        } else if (!digits_of(text, 2, day)) {
            return false;
        }
        if (*letter == 'd' && (begins(*text, "st") || begins(*text, "nd") || begins(*text, "rd") || begins(*text, "th")))
            *text += 2;
        if (begins(*text, "\346\227\245")) /* day in Chinese */
            *text += 3;
        *text += **text == ',' && letter > order && letter[1] != '\0';
    }
    return true;
}

/* The days since 1970, month, day of the week (Monday is 0) and hour of a date in one order. */
static bool read_date(const char *text, const char *form, double parts[4])
{
    static const int BEFORE[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
    int year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0;
    char compact[N_CELL], name[4], clock[9], zone[6] = "";
    int n = 0;
    if (strcmp(form, "ymd") == 0 && strlen(text) == 8 && strspn(text, "0123456789") == 8
        && (begins(text, "19") || begins(text, "20"))) {
        const char c[] = {text[0], text[1], text[2], text[3], '-', text[4], text[5], '-', text[6], text[7], '\0'};
        memcpy(compact, c, sizeof c);
        text = compact;
    }
    if (strcmp(form, "mdy") == 0
        && (sscanf(text, "%*3[A-Za-z] %3[A-Za-z] %2d %8[0-9:] %4d%n", name, &day, clock, &year, &n) == 4
            || sscanf(text, "%*3[A-Za-z] %3[A-Za-z] %2d %8[0-9:] %5[A-Z0-9+-] %4d%n", name, &day, clock, zone, &year, &n) == 5)
        && strlen(clock) == 8 && text[n] == '\0') {
        snprintf(compact, sizeof compact, "%s %d %04d %s", name, day, year, clock);
        text = compact;
    }
    if (strcmp(form, "time") == 0) {
        if (!time_of(&text, false, &hour, &minute, &second))
            return false;
    } else {
        if (form[0] != 'y' && strlen(form) == 3)
            weekday(&text, form[0] == 'm');
        if (!ordered(&text, form, &year, &month, &day))
            return false;
        if (strlen(form) == 3 && *text != '\0') {
            const char *start = text;
            while (*text == 'T' || *text == ',' || *text == ':' || space(text))
                text += space(text) ? space(text) : 1;
            if (text == start || !time_of(&text, true, &hour, &minute, &second))
                return false;
        }
    }
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (*text != '\0' || year < 1 || month < 1 || month > 12 || minute > 59 || second > 59)
        return false;
    if (hour > 23 && strcmp(form, "time") != 0)
        return false;
    if (day < 1 || day > BEFORE[month] - BEFORE[month - 1] + (leap && month == 2))
        return false;
    int past = year - 1;
    long days = 365L * past + past / 4 - past / 100 + past / 400 + BEFORE[month - 1] + (leap && month > 2) + day;
    parts[0] = (double)(days - 719163) + (3600.0 * hour + 60 * minute + second) / 86400;
    parts[1] = month;
    parts[2] = (double)((days + 6) % 7);
    parts[3] = hour + minute / 60.0 + (strcmp(form, "time") == 0 ? second / 3600.0 : 0);
    return true;
}

/* A part of a date, in the order of its column or in another one. */
static double date_part(const char *text, const char *kind, const char *part)
{
    static const char *const PARTS[] = {"days", "month", "weekday", "hour"};
    const char *forms[] = {kind, "ymd", "dmy", "mdy", "time", "ym", "my"};
    double parts[4];
    if (strchr(text, '/') != NULL) {
        forms[2] = "mdy";
        forms[3] = "dmy";
    }
    for (int i = 0; i < (strcmp(kind, "time") == 0 ? 1 : 7); i++)
        if (read_date(text, forms[i], parts))
            for (int k = 0; k < 4; k++)
                if (strcmp(part, PARTS[k]) == 0)
                    return parts[k];
    return NAN;
}

static bool is_date(const char *kind)
{
    static const char *const FORMS[] = {"ymd", "dmy", "mdy", "time", "ym", "my"};
    for (int i = 0; i < 6; i++)
        if (strcmp(kind, FORMS[i]) == 0)
            return true;
    return false;
}
#endif
#if has_columns

/* What an input takes of its cell; not a number where that is missing. */
static double feature(const char *const cells[N_COLUMNS], Source source)
{
    char text[N_CELL];
    trim(cells[source.column], text);
    if (strcmp(source.kind, "missing") == 0) {
        Source its = {source.column, source.part, "days"};
        return isnan(feature(cells, its));
    }
    if (is_date(source.kind)) // if has_dates
        return date_part(text, source.kind, source.part); // if has_dates
    if (strcmp(source.kind, "text") != 0 && strcmp(source.kind, "other") != 0)
        return number(text, source.kind);
    if (is_missing(text))
        return NAN;
    if (strcmp(source.kind, "text") == 0)
        return strcmp(text, source.part) == 0;
    for (int i = 0; i < N_INPUTS; i++)
        if (SOURCES[i].column == source.column && strcmp(SOURCES[i].kind, "text") == 0)
            if (strcmp(SOURCES[i].part, text) == 0)
                return 0;
    return 1;
}
#endif
