/* SPDX-License-Identifier: MIT
 * Which heads copy. */
#include "analysis/hl-copying.h"

#include <cblas.h>
#include <math.h>

/* LAPACK's own: eigenvalues of a general matrix; a transposed one has the same. */
extern void dgeev_ (const char *jobvl,
                    const char *jobvr,
                    const int *n,
                    double *a,
                    const int *lda,
                    double *wr,
                    double *wi,
                    double *vl,
                    const int *ldvl,
                    double *vr,
                    const int *ldvr,
                    double *work,
                    const int *lwork,
                    int *info);

double
hl_copying_of_eigenvalues (double *m, int n)
{
  int size = 8 * n, info = 0, one = 1;
  g_autofree double *real = g_new (double, (gsize) n);
  g_autofree double *imaginary = g_new (double, (gsize) n);
  g_autofree double *work = g_new (double, (gsize) size);
  double sum = 0, sizes = 0, none = 0;
  dgeev_ ("N", "N", &n, m, &n, real, imaginary, &none, &one, &none, &one, work, &size,
          &info);
  if (info != 0)
    return NAN;
  for (int i = 0; i < n; i++)
    {
      sum += real[i]; /* imaginary parts come in pairs that cancel */
      sizes += hypot (real[i], imaginary[i]);
    }
  return sizes > 0 ? sum / sizes : (double) NAN;
}

/* v (K, D) times ends (D, D) times o (D, K). */
static double
score_head (const double *v, const double *ends, const double *o, int K, int D)
{
  g_autofree double *half = g_new (double, (gsize) K *(gsize) D);
  g_autofree double *m = g_new (double, (gsize) K *(gsize) K);
  cblas_dgemm (CblasRowMajor, CblasNoTrans, CblasNoTrans, K, D, D, 1, v, D, ends, D, 0,
               half, D);
  cblas_dgemm (CblasRowMajor, CblasNoTrans, CblasNoTrans, K, K, D, 1, half, D, o, K, 0, m,
               K);
  return hl_copying_of_eigenvalues (m, K);
}

static gboolean
score_heads (HlHeadScores *scores, const HlModel *model, HlExec *exec)
{
  int D = hl_model_get_info (model)->width;
  g_autofree double *ends = hl_model_get_ends (model, exec);
  for (int l = 0; l < scores->n_layers && ends != NULL; l++)
    for (int h = 0; h < scores->first[l + 1] - scores->first[l]; h++)
      {
        g_autofree double *v = NULL, *o = NULL;
        if (!hl_exec_step (exec, (double) l / scores->n_layers, "copying"))
          return FALSE;
        int K = hl_model_get_ov (model, l, h, exec, &v, &o);
        if (K > 0)
          hl_head_scores_set (scores, HL_SCORE_COPYING, l, h,
                              score_head (v, ends, o, K, D));
      }
  return hl_exec_ok (exec);
}

gboolean
hl_copying_score (HlHeadScores *scores,
                  const HlModel *model,
                  HlBackend *backend,
                  const HlProgress *progress,
                  GError **error)
{
  HlRun run;
  if (!hl_model_has_ov (model))
    return TRUE;
  hl_run_init (&run, backend, hl_model_get_info (model), progress);
  gboolean ok = score_heads (scores, model, &run.exec);
  if (run.exec.error != NULL)
    g_propagate_error (error, g_steal_pointer (&run.exec.error));
  hl_run_clear (&run);
  return ok;
}
