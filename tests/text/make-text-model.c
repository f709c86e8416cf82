/* SPDX-License-Identifier: MIT
 * For the tests of commands: make-text-model FAMILY FOLDER writes a small model. */
#include "text-model.h"

int
main (int argc, char **argv)
{
  if (argc != 3 || g_mkdir_with_parents (argv[2], 0700) != 0)
    return 2;
  text_model_write (argv[2], argv[1]);
  return 0;
}
