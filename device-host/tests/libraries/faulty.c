/* Libraries that are faulty before they are asked anything: one fault for each -D. Without any, nothing is wrong. */
#include "kiosk_vendor.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef UNRESOLVED
int32_t function_of_a_library_that_is_not_installed(void);
#endif

#if defined(CRASHES_AT_LOAD) || defined(HANGS_AT_LOAD) || defined(EXITS_AT_LOAD)
__attribute__((constructor)) static void at_load(void) {
#ifdef CRASHES_AT_LOAD
    volatile int *volatile nowhere = NULL;
    *nowhere = 1;
#endif
#ifdef HANGS_AT_LOAD
    for (;;)
        pause();
#endif
#ifdef EXITS_AT_LOAD
    exit(9);
#endif
}
#endif

uint32_t kiosk_vendor_abi(void) {
#ifdef OTHER_ABI
    return KIOSK_VENDOR_ABI + 1;
#else
    return KIOSK_VENDOR_ABI;
#endif
}

int32_t kiosk_vendor_identity(uint8_t *out, uint32_t out_capacity, uint32_t *out_length) {
    (void)out; /* unused where the identity is empty */
#if defined(IDENTITY_EMPTY)
    *out_length = 0;
#elif defined(IDENTITY_OF_TWO_LINES)
    memcpy(out, "two\nlines", 9);
    *out_length = 9;
#elif defined(IDENTITY_NOT_UTF8)
    memcpy(out, "\xb9\xf3", 2);
    *out_length = 2;
#elif defined(IDENTITY_TOO_LONG)
    *out_length = out_capacity + 1;
#else
    memcpy(out, "faultless", 9);
    *out_length = 9;
#endif
    return out_capacity < 9 ? KIOSK_VENDOR_TOO_SMALL : KIOSK_VENDOR_OK;
}

int32_t kiosk_vendor_open(const uint8_t *settings, uint32_t settings_length) {
    (void)settings;
    (void)settings_length;
#ifdef UNRESOLVED
    return function_of_a_library_that_is_not_installed();
#else
    return KIOSK_VENDOR_OK;
#endif
}

#ifndef LACKS_CALL
int32_t kiosk_vendor_call(uint32_t verb, const uint8_t *in, uint32_t in_length, uint8_t *out, uint32_t out_capacity,
                          uint32_t *out_length) {
    (void)verb, (void)in, (void)in_length, (void)out, (void)out_capacity, (void)out_length;
    return KIOSK_VENDOR_UNKNOWN_VERB;
}
#endif

void kiosk_vendor_close(void) {
}
