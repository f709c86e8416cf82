/* SPDX-License-Identifier: MIT
 * The inside of the window, shared by its state, actions and keys. */
#pragma once

#include "window/hl-head-panel.h"
#include "window/hl-heads-panel.h"
#include "window/hl-importance-panel.h"
#include "window/hl-side-panel.h"
#include "window/hl-overview-panel.h"
#include "window/hl-pattern-panel.h"
#include "window/hl-saliency-panel.h"
#include "window/hl-strength-panel.h"
#include "window/hl-text-dialog.h"
#include "window/hl-window.h"

G_BEGIN_DECLS

struct _HlWindow
{
  AdwApplicationWindow parent_instance;
  HlDocument *document;
  GSettings *settings;
  AdwToastOverlay *toasts;
  AdwWindowTitle *title;
  GtkWidget *run_button;
  GtkMenuButton *backend_button;
  GtkLabel *backend;
  GtkStack *stack;
  AdwStatusPage *empty_page;
  GtkWidget *empty_choices;
  GtkWidget *empty_model;
  GtkWidget *empty_picture;
  GtkPaned *outer;
  GtkPaned *inner;
  HlSidePanel *side;
  GtkWidget *switcher;
  GtkStack *pages;
  HlHeadsPanel *heads;
  HlImportancePanel *importance;
  HlStrengthPanel *strength;
  HlPatternPanel *patterns;
  HlSaliencyPanel *saliency;
  HlOverviewPanel *overview;
  HlHeadPanel *head;
  GtkLabel *status;
  GtkLabel *busy_label;
  GtkProgressBar *busy_bar;
  GMenu *recent_menu;
  GtkMenuButton *generate_button;
  GtkSpinButton *generate_tokens;
  GtkSpinButton *generate_temperature;
  GtkSpinButton *generate_top_p;
  GtkSpinButton *generate_seed;
};

/** hl_window_install_actions: for class_init. */
void hl_window_install_actions (GtkWidgetClass *klass);

/** hl_window_install_analyses: the actions of hl-window-analyses.c. */
void hl_window_install_analyses (GtkWidgetClass *klass);

/** HlWindowChosen: what to do with the file that was chosen. */
typedef void (*HlWindowChosen) (HlWindow *self, const char *path);

/** hl_window_choose: (transfer none): a dialog for a file; show it. */
GtkFileChooserNative *hl_window_choose (HlWindow *self,
                                        const char *title,
                                        GtkFileChooserAction action,
                                        const char *accept,
                                        HlWindowChosen chosen);

/** hl_window_update_actions: enables what can be done now. */
void hl_window_update_actions (HlWindow *self);

/** hl_window_add_keys: single keys, typing of "5.1", file drops. */
void hl_window_add_keys (HlWindow *self);

/** hl_window_fill_recent: the menu of recent files. */
void hl_window_fill_recent (HlWindow *self);
void hl_window_note_recent (HlWindow *self, const char *path, const char *mime_type);

/** hl_window_list_recent: (transfer full) (element-type GtkRecentInfo): what this program
 * opened, the latest first. */
GList *hl_window_list_recent (void);

/** hl_window_show_models: asks for a model. */
void hl_window_show_models (HlWindow *self);

/** hl_window_set_style: "light", "dark", or "system" for anything else. */
void hl_window_set_style (const char *wanted);

/** hl_window_show_export: asks what to export and how. */
void hl_window_show_export (HlWindow *self);

G_END_DECLS
