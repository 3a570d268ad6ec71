// Runs the firmware's board.c on this machine: the line is standard input and output, a pseudo terminal's end. Its inputs
// stand in one file, as `near doors`; what its lights show goes to another, a digit each.
#include "../../firmware/cabinet_board/board.c"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static const char *inputs, *shown;

void board_send(const uint8_t *bytes, uint8_t count) {
  // Nobody may have the terminal open: the answer is lost, as on a wire.
  if (write(STDOUT_FILENO, bytes, count) < 0) return;
}

uint8_t board_self_test(void) { return 4; }

static uint32_t milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint32_t)now.tv_sec * 1000 + (uint32_t)(now.tv_nsec / 1000000);
}

static void read_inputs(unsigned *near, unsigned *open) {
  FILE *file = fopen(inputs, "r");
  if (!file) exit(0);
  if (fscanf(file, "%u %u", near, open) != 2) exit(2);
  fclose(file);
}

static void show_lights(void) {
  static char last[BOARD_LIGHTS];
  char now[BOARD_LIGHTS];
  for (int n = 0; n < BOARD_LIGHTS; n++) now[n] = '0' + lights[n].pattern;
  if (memcmp(now, last, sizeof now) == 0) return;
  memcpy(last, now, sizeof now);
  int file = open(shown, O_WRONLY | O_CREAT, 0600);
  if (file < 0 || pwrite(file, now, sizeof now, 0) != sizeof now) exit(3);
  close(file);
}

int main(int count, char **arguments) {
  if (count != 4) return 1;
  inputs = arguments[1];
  shown = arguments[2];
  board_start((uint16_t)atoi(arguments[3]));
  for (;;) {
    unsigned near, open;
    uint8_t bytes[64];
    read_inputs(&near, &open);
    uint32_t now = milliseconds();
    board_tick(now, near, (uint8_t)open);
    ssize_t got = read(STDIN_FILENO, bytes, sizeof bytes);
    for (ssize_t at = 0; at < got; at++) board_receive(bytes[at], now);
    show_lights();
    usleep(1000);
  }
}
