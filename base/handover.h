/* handover: tells ThreadSanitizer where memory passes from one thread to another through Debian's
 * libzmq and libczmq, which are not instrumented. Nothing in other builds. For the runner and the
 * client socket, the two places where that happens. */
#ifndef WEIR_BASE_HANDOVER_H
#define WEIR_BASE_HANDOVER_H

#if defined(__SANITIZE_THREAD__)
#define WEIR_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WEIR_TSAN 1
#endif
#endif

#ifdef WEIR_TSAN
void __tsan_acquire(void *address);
void __tsan_release(void *address);
#define HANDED_OVER(object) __tsan_release(object)
#define TAKEN_OVER(object)  __tsan_acquire(object)
#else
#define HANDED_OVER(object) (void)(object)
#define TAKEN_OVER(object)  (void)(object)
#endif

#endif
