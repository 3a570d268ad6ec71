/* A library that does on demand what makers' libraries do by accident. The verbs are those of contract/workshop.rs. */
#define _GNU_SOURCE
#include "kiosk_vendor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

enum {
    ECHO = 0x80000001u, CRASH, HANG, PRINT, LENGTH_BEYOND, WRITE_BEYOND, EXIT, LEAK, CLOSE_ALL, CLOSE_ALL_AND_HANG,
    CLOSE_OWN, SLOW, ANSWER_TWICE, HELPER, PID, SURROUNDINGS, OPEN_MANY, WRITE_FILE, DIE_LATER, REFUSE, SCRIBBLE,
    THROW_AWAY_STACK, COUNT_OPEN
};

static char kept[256];

static void hang(void) {
    for (;;)
        pause();
}

static int32_t give(const void *bytes, uint32_t length, uint8_t *out, uint32_t capacity, uint32_t *out_length) {
    if (length > capacity)
        return KIOSK_VENDOR_TOO_SMALL;
    memcpy(out, bytes, length);
    *out_length = length;
    return KIOSK_VENDOR_OK;
}

static int32_t give_number(long number, uint8_t *out, uint32_t capacity, uint32_t *out_length) {
    char text[32];
    int length = snprintf(text, sizeof text, "%ld", number);
    return give(text, (uint32_t)length, out, capacity, out_length);
}

/* Prints far more than a pipe holds, everywhere, and then reads what is not its own. */
static int32_t print(uint8_t *out, uint32_t capacity, uint32_t *out_length) {
    char line[1024], heard[64];
    memset(line, 'x', sizeof line);
    for (int i = 0; i < 1024; i++) {
        printf("decoding %d\n", i);
        if (write(1, line, sizeof line) < 0 || write(2, line, sizeof line) < 0)
            return 1000 + errno;
    }
    fflush(stdout);
    return give_number((long)read(0, heard, sizeof heard), out, capacity, out_length);
}

static int32_t leak(uint8_t *out, uint32_t capacity, uint32_t *out_length) {
    size_t size = 64u << 20;
    char *lost = malloc(size);
    memset(lost, 1, size); /* never asks whether there was any memory */
    return give(&lost, sizeof lost, out, capacity, out_length);
}

static long limit(int resource) {
    struct rlimit value;
    return getrlimit(resource, &value) == 0 && value.rlim_cur == value.rlim_max ? (long)value.rlim_max : -1;
}

static int32_t surroundings(uint8_t *out, uint32_t capacity, uint32_t *out_length) {
    char text[512], folder[128];
    int length = snprintf(text, sizeof text, "environment %d\nfolder %s\ndumpable %d\ncore %ld\nfile %ld\nopen %ld\naddress %ld\n",
                          environ && environ[0] != NULL, getcwd(folder, sizeof folder), prctl(PR_GET_DUMPABLE),
                          limit(RLIMIT_CORE), limit(RLIMIT_FSIZE), limit(RLIMIT_NOFILE), limit(RLIMIT_AS));
    return give(text, (uint32_t)length, out, capacity, out_length);
}

static int32_t write_file(const uint8_t *path, uint32_t length) {
    char name[256] = {0};
    memcpy(name, path, length < sizeof name ? length : sizeof name - 1);
    int file = open(name, O_CREAT | O_WRONLY, 0600);
    if (file < 0)
        return 1000 + errno;
    ssize_t written = write(file, "a photo", 7);
    close(file);
    return written == 7 ? KIOSK_VENDOR_OK : 2000 + errno;
}

static void scribble(void) {
    for (int file = 3; file < 2048; file++)
        if (write(file, "nonsense", 8) < 0)
            continue;
}

static int dig(volatile char *above) {
    volatile char here[4096];
    here[0] = above[0];
    return dig(here) + here[0];
}

uint32_t kiosk_vendor_abi(void) {
    return KIOSK_VENDOR_ABI;
}

int32_t kiosk_vendor_identity(uint8_t *out, uint32_t out_capacity, uint32_t *out_length) {
    static const char name[] = "misbehaving 捣乱 1.0";
    return give(name, sizeof name - 1, out, out_capacity, out_length);
}

/* The first letter of the settings says what to do, the rest is kept. */
int32_t kiosk_vendor_open(const uint8_t *settings, uint32_t settings_length) {
    memcpy(kept, settings, settings_length < sizeof kept ? settings_length : sizeof kept - 1);
    if (kept[0] == 'h')
        hang();
    return kept[0] == 'r' ? KIOSK_VENDOR_NOT_CONNECTED : KIOSK_VENDOR_OK;
}

int32_t kiosk_vendor_call(uint32_t verb, const uint8_t *in, uint32_t in_length, uint8_t *out, uint32_t out_capacity,
                          uint32_t *out_length) {
    volatile int *volatile nowhere = NULL;
    pid_t helper;
    long count = 0;
    struct itimerval soon = {{0, 0}, {0, 20000}};

    switch (verb) {
    case ECHO:
        return give(in, in_length, out, out_capacity, out_length);
    case CRASH:
        *nowhere = 1;
        return KIOSK_VENDOR_OK;
    case HANG:
        hang();
        return KIOSK_VENDOR_OK;
    case PRINT:
        return print(out, out_capacity, out_length);
    case LENGTH_BEYOND:
        *out_length = out_capacity + 1;
        return KIOSK_VENDOR_OK;
    case WRITE_BEYOND:
        memset(out, 'y', out_capacity + 300);
        *out_length = out_capacity;
        return KIOSK_VENDOR_OK;
    case EXIT:
        exit(in[0]);
    case LEAK:
        return leak(out, out_capacity, out_length);
    case CLOSE_ALL:
    case CLOSE_ALL_AND_HANG:
        close_range(0, ~0u, 0);
        if (verb == CLOSE_ALL_AND_HANG)
            hang();
        return KIOSK_VENDOR_OK;
    case CLOSE_OWN: /* as daemons do */
        for (int file = 0; file < sysconf(_SC_OPEN_MAX); file++)
            close(file);
        return give("closed", 6, out, out_capacity, out_length);
    case SLOW:
        usleep(300 * 1000);
        return give("slow", 4, out, out_capacity, out_length);
    case ANSWER_TWICE:
        return fork() < 0 ? 1000 + errno : give(in, in_length, out, out_capacity, out_length);
    case HELPER:
        helper = fork();
        if (helper == 0)
            hang();
        return give_number(helper, out, out_capacity, out_length);
    case PID:
        return give_number(getpid(), out, out_capacity, out_length);
    case SURROUNDINGS:
        return surroundings(out, out_capacity, out_length);
    case OPEN_MANY:
        while (open("/dev/null", O_RDONLY) >= 0)
            count++;
        return give_number(count, out, out_capacity, out_length);
    case COUNT_OPEN:
        for (int file = 0; file < 512; file++)
            count += fcntl(file, F_GETFD) >= 0;
        return give_number(count, out, out_capacity, out_length);
    case WRITE_FILE:
        return write_file(in, in_length);
    case DIE_LATER:
        return setitimer(ITIMER_REAL, &soon, NULL) == 0 ? KIOSK_VENDOR_OK : 1000 + errno;
    case REFUSE:
        return (int32_t)in[0];
    case SCRIBBLE:
        scribble();
        return KIOSK_VENDOR_OK;
    case THROW_AWAY_STACK:
        return dig((volatile char *)"");
    default:
        return KIOSK_VENDOR_UNKNOWN_VERB;
    }
}

void kiosk_vendor_close(void) {
    if (kept[0] == 'z')
        hang();
    if (kept[0] == 'c')
        write_file((const uint8_t *)kept + 1, (uint32_t)strlen(kept + 1));
}
