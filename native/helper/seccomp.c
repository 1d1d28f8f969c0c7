/*
 * Compiles a seccomp filter. Arguments: the default action, the architectures separated by commas (`x86_64,x86,x32` or `aarch64`), then rules:
 *
 *     ACTION NAME[,NAME...] [INDEX OP VALUE]...
 *
 * ACTION   allow, errno:NUMBER, kill (the process), log
 * INDEX    0..5, the argument of the system call; all conditions of a rule must hold
 * OP VALUE eq, ne, lt, le, gt, ge and one 64-bit number, or `masked` and two: the mask and what must be left
 *
 * A rule that refuses wins over one that allows, whatever their order; what no rule names gets the default action. libseccomp cannot express that in
 * one filter (a rule without conditions swallows those with), so two are made: the refusals, which allow all else, and the
 * allowances. Every `allow` of the first then becomes a jump to the second.
 *
 * Results: an array of struct sock_filter, base64; and the names that this libseccomp does not know, separated by blanks.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "operations.h"
#include "wire/wire.h"

#define CONDITIONS_MAX 6
#define UNKNOWN_MAX 4096

struct program {
  struct sock_filter *instruction;
  size_t length;
};

struct compiler {
  scmp_filter_ctx refusals, allowances;
  char unknown[UNKNOWN_MAX];
  struct failure *failure;
};

static int parse_action(const char *text, uint32_t *action, struct failure *failure) {
  uint64_t number;
  if (strcmp(text, "allow") == 0) *action = SCMP_ACT_ALLOW;
  else if (strcmp(text, "kill") == 0) *action = SCMP_ACT_KILL_PROCESS;
  else if (strcmp(text, "log") == 0) *action = SCMP_ACT_LOG;
  else if (strncmp(text, "errno:", 6) != 0) return fail_as(failure, EINVAL, "seccomp: there is no action %.40s", text);
  else if (wire_number(text + 6, "seccomp: errno", 1, 4095, &number, failure) < 0) return -1;
  else *action = SCMP_ACT_ERRNO(number);
  return 0;
}

static int parse_value(const char *text, scmp_datum_t *value, struct failure *failure) {
  char *end;
  errno = 0;
  if (text) *value = strtoull(text, &end, 0);
  if (!text || *text < '0' || *text > '9' || *end || errno) return fail_as(failure, EINVAL, "seccomp: \"%.40s\" is not a number", text ? text : "");
  return 0;
}

static int parse_condition(char **rest, const char *index, struct scmp_arg_cmp *condition, struct failure *failure) {
  static const struct {
    const char *name;
    enum scmp_compare op;
  } comparisons[] = {
    {"eq", SCMP_CMP_EQ}, {"ne", SCMP_CMP_NE}, {"lt", SCMP_CMP_LT}, {"le", SCMP_CMP_LE},
    {"gt", SCMP_CMP_GT}, {"ge", SCMP_CMP_GE}, {"masked", SCMP_CMP_MASKED_EQ},
  };
  uint64_t argument;
  if (wire_number(index, "seccomp: argument", 0, 5, &argument, failure) < 0) return -1;
  *condition = (struct scmp_arg_cmp){.arg = (unsigned int)argument};
  const char *op = strsep(rest, " ");
  for (size_t i = 0; op && i < sizeof comparisons / sizeof *comparisons; i++) {
    if (strcmp(op, comparisons[i].name) == 0) condition->op = comparisons[i].op;
  }
  if (condition->op == _SCMP_CMP_MIN) return fail_as(failure, EINVAL, "seccomp: there is no comparison \"%.40s\"", op ? op : "");
  if (parse_value(strsep(rest, " "), &condition->datum_a, failure) < 0) return -1;
  return condition->op == SCMP_CMP_MASKED_EQ ? parse_value(strsep(rest, " "), &condition->datum_b, failure) : 0;
}

static void add_unknown(struct compiler *compiler, const char *name) {
  size_t used = strlen(compiler->unknown);
  snprintf(compiler->unknown + used, sizeof compiler->unknown - used, "%s%s", used ? " " : "", name);
}

static int add_rule(struct compiler *compiler, const char *rule) {
  char *copy = strdup(rule);
  if (!copy) return fail(compiler->failure, "seccomp");
  char *rest = copy, *names = NULL;
  struct scmp_arg_cmp conditions[CONDITIONS_MAX];
  unsigned int count = 0;
  uint32_t action = 0;
  int result = parse_action(strsep(&rest, " "), &action, compiler->failure);
  if (result == 0 && !(names = strsep(&rest, " "))) result = fail_as(compiler->failure, EINVAL, "seccomp: \"%.80s\" names no system call", rule);
  for (const char *index; result == 0 && (index = strsep(&rest, " ")); count++) {
    if (count == CONDITIONS_MAX) result = fail_as(compiler->failure, EINVAL, "seccomp: \"%.80s\" has too many conditions", rule);
    else result = parse_condition(&rest, index, &conditions[count], compiler->failure);
  }
  scmp_filter_ctx filter = action == SCMP_ACT_ALLOW ? compiler->allowances : compiler->refusals;
  for (const char *name; result == 0 && (name = strsep(&names, ","));) {
    int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR) {
      add_unknown(compiler, name);
      continue;
    }
    int error = -seccomp_rule_add_array(filter, action, number, count, conditions);
    if (error && error != EEXIST) result = fail_as(compiler->failure, error, "seccomp: %s in \"%.80s\": %s", name, rule, strerror(error));
  }
  free(copy);
  return result;
}

static scmp_filter_ctx create_filter(uint32_t default_action, const char *architectures, struct failure *failure) {
  scmp_filter_ctx filter = seccomp_init(default_action);
  char *copy = strdup(architectures), *rest = copy;
  if (!filter || !copy || seccomp_arch_remove(filter, SCMP_ARCH_NATIVE) < 0) {
    fail_as(failure, ENOMEM, "seccomp: no filter can be made with this default action");
    goto failed;
  }
  for (const char *name; (name = strsep(&rest, ","));) {
    uint32_t architecture = seccomp_arch_resolve_name(name);
    int error = architecture ? -seccomp_arch_add(filter, architecture) : EINVAL;
    if (error) {
      fail_as(failure, error, "seccomp: the architecture \"%.40s\": %s", name, strerror(error));
      goto failed;
    }
  }
  /* A binary search over the numbers instead of one comparison each. An old library only makes a longer filter. */
  seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
  free(copy);
  return filter;
failed:
  free(copy);
  if (filter) seccomp_release(filter);
  return NULL;
}

static int export(scmp_filter_ctx filter, struct program *program, struct failure *failure) {
  int fd = memfd_create("seccomp", MFD_CLOEXEC);
  if (fd < 0) return fail(failure, "seccomp: making a file in memory");
  struct stat status;
  int error = -seccomp_export_bpf(filter, fd);
  int result = error ? fail_as(failure, error, "seccomp: compiling: %s", strerror(error)) : 0;
  if (result == 0 && (fstat(fd, &status) < 0 || !(program->instruction = malloc((size_t)status.st_size + 1)))) {
    result = fail(failure, "seccomp: taking the compiled filter");
  }
  if (result == 0) {
    program->length = (size_t)status.st_size / sizeof *program->instruction;
    ssize_t got = pread(fd, program->instruction, (size_t)status.st_size, 0);
    if (got != status.st_size) result = fail_as(failure, EIO, "seccomp: the compiled filter was cut short");
  }
  close(fd);
  return result;
}

/* Puts `second` behind `first`: what `first` allows, `second` decides. */
static int chain(struct program *first, const struct program *second, struct failure *failure) {
  size_t length = first->length + second->length;
  if (length > BPF_MAXINSNS) {
    return fail_as(failure, E2BIG, "seccomp: the filter has %zu instructions, the kernel takes %d", length, BPF_MAXINSNS);
  }
  struct sock_filter *all = reallocarray(first->instruction, length, sizeof *all);
  if (!all) return fail(failure, "seccomp");
  for (size_t i = 0; i < first->length; i++) {
    if (all[i].code != (BPF_RET | BPF_K) || all[i].k != SECCOMP_RET_ALLOW) continue;
    all[i] = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, (unsigned int)(first->length - i - 1));
  }
  memcpy(all + first->length, second->instruction, second->length * sizeof *all);
  *first = (struct program){.instruction = all, .length = length};
  return 0;
}

static char *base64(const unsigned char *bytes, size_t size) {
  static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  char *text = malloc((size + 2) / 3 * 4 + 1), *out = text;
  if (!text) return NULL;
  for (size_t i = 0; i < size; i += 3) {
    size_t left = size - i;
    unsigned int group = (unsigned int)bytes[i] << 16 | (left > 1 ? (unsigned int)bytes[i + 1] << 8 : 0) | (left > 2 ? bytes[i + 2] : 0);
    for (size_t digit = 0; digit < 4; digit++) *out++ = digit <= left ? alphabet[group >> (18 - 6 * digit) & 63] : '=';
  }
  *out = 0;
  return text;
}

int compile_seccomp(const struct call *call, struct failure *failure) {
  struct compiler compiler = {.failure = failure};
  struct program program = {0}, allowances = {0};
  char *text = NULL;
  uint32_t default_action;
  int result = parse_action(call->argument[0], &default_action, failure);
  if (result == 0 && default_action == SCMP_ACT_ALLOW) result = fail_as(failure, EINVAL, "seccomp: a default action of allow is no filter");
  if (result == 0 && !(compiler.refusals = create_filter(SCMP_ACT_ALLOW, call->argument[1], failure))) result = -1;
  if (result == 0 && !(compiler.allowances = create_filter(default_action, call->argument[1], failure))) result = -1;
  for (size_t i = 2; result == 0 && i < call->arguments; i++) result = add_rule(&compiler, call->argument[i]);
  if (result == 0) result = export(compiler.refusals, &program, failure);
  if (result == 0) result = export(compiler.allowances, &allowances, failure);
  if (result == 0) result = chain(&program, &allowances, failure);
  if (result == 0 && !(text = base64((unsigned char *)program.instruction, program.length * sizeof *program.instruction))) {
    result = fail(failure, "seccomp");
  }
  if (result == 0) result = answer(call, text, compiler.unknown);
  free(text);
  free(program.instruction);
  free(allowances.instruction);
  if (compiler.refusals) seccomp_release(compiler.refusals);
  if (compiler.allowances) seccomp_release(compiler.allowances);
  return result;
}
