/*
 * Faults for one process, loaded with LD_PRELOAD: a wall clock that is wrong and syncs that fail. PARLEY_TEST_FAULTS
 * names a file of 64 bytes that the test writes and this maps, so that a fault begins and ends at any moment.
 *
 *   offset 0   int64   milliseconds added to the wall clock; the monotonic clock stays true
 *   offset 8   int64   not 0: fsync and fdatasync of database files fail with EIO
 *   offset 16  int64   written here: length of the write-ahead log at its last successful sync
 *   offset 24  int64   written here: not 0 once the log was written below that length, that is, began anew
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct control {
  volatile int64_t clock_offset_ms;
  volatile int64_t fail_sync;
  volatile int64_t synced_bytes;
  volatile int64_t began_anew;
  int64_t unused[4];
};

static struct control none;
static struct control *control = &none;
static int (*real_gettimeofday)(struct timeval *, void *);
static int (*real_clock_gettime)(clockid_t, struct timespec *);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static ssize_t (*real_pwrite64)(int, const void *, size_t, off64_t);

/* Libraries that load before us may already ask for the time. */
#define REAL(name) (find((void **)&real_##name, #name), real_##name)

static void find(void **function, const char *name) {
  if (*function == NULL) *function = dlsym(RTLD_NEXT, name);
}

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("PARLEY_TEST_FAULTS");
  if (path == NULL) return;
  int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void *page = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (page != MAP_FAILED) control = page;
}

static void shift(int64_t *seconds, int64_t *nanoseconds) {
  int64_t total = *nanoseconds + (control->clock_offset_ms % 1000) * 1000000;
  *seconds += control->clock_offset_ms / 1000 + total / 1000000000;
  *nanoseconds = total % 1000000000;
  if (*nanoseconds < 0) {
    *nanoseconds += 1000000000;
    *seconds -= 1;
  }
}

int gettimeofday(struct timeval *restrict tv, void *restrict tz) {
  int result = REAL(gettimeofday)(tv, tz);
  if (result == 0 && control->clock_offset_ms != 0) {
    int64_t s = tv->tv_sec, ns = (int64_t)tv->tv_usec * 1000;
    shift(&s, &ns);
    tv->tv_sec = s;
    tv->tv_usec = ns / 1000;
  }
  return result;
}

int clock_gettime(clockid_t clock, struct timespec *ts) {
  int result = REAL(clock_gettime)(clock, ts);
  if (result == 0 && control->clock_offset_ms != 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
    int64_t s = ts->tv_sec, ns = ts->tv_nsec;
    shift(&s, &ns);
    ts->tv_sec = s;
    ts->tv_nsec = ns;
  }
  return result;
}

time_t time(time_t *out) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (out != NULL) *out = now.tv_sec;
  return now.tv_sec;
}

enum file { OTHER, DATABASE, WAL };

static enum file kind_of(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, path, sizeof path - 1);
  if (n < 0) return OTHER;
  path[n] = 0;
  const char *found = strstr(path, ".sqlite");
  if (found == NULL) return OTHER;
  return strcmp(found, ".sqlite-wal") == 0 ? WAL : DATABASE;
}

static int sync_with(int (*real)(int), int fd) {
  int saved = errno;
  enum file kind = kind_of(fd);
  errno = saved;
  if (kind == OTHER) return real(fd);
  if (control->fail_sync != 0) {
    errno = EIO;
    return -1;
  }
  struct stat before;
  int64_t length = kind == WAL && fstat(fd, &before) == 0 ? (int64_t)before.st_size : -1;
  int result = real(fd);
  if (result == 0 && length >= 0) control->synced_bytes = length;
  return result;
}

int fsync(int fd) { return sync_with(REAL(fsync), fd); }
int fdatasync(int fd) { return sync_with(REAL(fdatasync), fd); }

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
  if (control->synced_bytes > at && control->began_anew == 0 && kind_of(fd) == WAL) control->began_anew = 1;
  return REAL(pwrite64)(fd, data, size, at);
}
