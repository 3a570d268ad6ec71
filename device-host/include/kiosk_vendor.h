/* The interface between the kiosk and a closed library of a device's maker, version 1.
 *
 * An integrator writes a thin shim: a shared library that exports the five functions below and calls the maker's own
 * library inside. The kiosk runs it in a process of its own (device-host), and nothing else is in that process.
 *
 *   cc -shared -fPIC -I device-host/include -o libshim.so shim.c -L. -lmaker -Wl,-rpath,'$ORIGIN'
 *
 * What holds for all functions:
 * - They are called one after another, on the process's first thread, in the order abi, identity, open, call…, close.
 *   close may be left out: the process is killed when it hangs, and when the kiosk ends.
 * - No pointer is returned. What comes out is written into the caller's room; its length goes to *out_length, which is
 *   0 before the call. A length beyond the room, or a byte written behind it, ends the process.
 * - Pointers are never NULL. Where a length is 0, nothing may be read or written behind the pointer. They are good
 *   until the function returns.
 * - C++ exceptions must not leave a function; catch them and return a code.
 * - A call that takes longer than its device kind allows counts as a hang. There is no call to cancel another.
 *
 * What the process finds: an empty environment (no LD_LIBRARY_PATH, no TZ, locale "C"), the working directory "/",
 * standard input, output and error at /dev/null, and limits on address space, descriptors and the size of files. By
 * default no file may be written at all (SIGXFSZ): whatever a library leaves on disk may be somebody's photo. It must
 * not fork and go on in both processes: the second answer ends the first process.
 */
#ifndef KIOSK_VENDOR_H
#define KIOSK_VENDOR_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KIOSK_VENDOR_ABI 1u

/* What a function returns. Any other number is the library's own code; the kiosk shows it to operators, so it must say
 * nothing about a resident. */
#define KIOSK_VENDOR_OK 0
#define KIOSK_VENDOR_UNKNOWN_VERB 1
#define KIOSK_VENDOR_BAD_INPUT 2     /* of a call: its input; of open: the settings */
#define KIOSK_VENDOR_TOO_SMALL 3     /* the answer is longer than out_capacity */
#define KIOSK_VENDOR_NOT_CONNECTED 4 /* the device is not there */
#define KIOSK_VENDOR_BUSY 5          /* try again */

/* Verbs. Numbers from 0x80000000 are an integrator's own. */

/* Decodes the photo of a resident ID card.
 * in:  the photo file of the card's chip as it was read (1024 bytes on every card seen).
 * out: width and height in pixels (2 bytes each, the higher byte first), then rows from the top, 3 bytes a pixel: red,
 *      green, blue; no padding. Makers' decoders give 102 x 126, often as BMP: rows from the bottom, blue first.
 * KIOSK_VENDOR_BAD_INPUT: not a photo of this format. */
#define KIOSK_VENDOR_DECODE_PHOTO 0x00000101u

/* KIOSK_VENDOR_ABI of the header that the shim was built with. */
uint32_t kiosk_vendor_abi(void);

/* Name and version of what is behind the shim: 1 to out_capacity bytes (128) of printable UTF-8, without a NUL.
 * Called before open; must not touch the device. */
int32_t kiosk_vendor_identity(uint8_t *out, uint32_t out_capacity, uint32_t *out_length);

/* Makes the library ready. The settings are whatever the terminal's configuration has for this library. */
int32_t kiosk_vendor_open(const uint8_t *settings, uint32_t settings_length);

/* Does one thing. Anything but KIOSK_VENDOR_OK means that nothing came out. */
int32_t kiosk_vendor_call(uint32_t verb, const uint8_t *in, uint32_t in_length, uint8_t *out, uint32_t out_capacity,
                          uint32_t *out_length);

/* Lets go of the device. The process ends afterwards; it has about two seconds. */
void kiosk_vendor_close(void);

#ifdef __cplusplus
}
#endif

#endif
