;;; trunkline-files.el --- Buffers as models see and change them  -*- lexical-binding: t; -*-

;;; Commentary:

;; The server of this Emacs is told of the buffers that visit files of the
;; project, so that models read what is not saved yet.  A buffer is sent as a
;; whole, when Emacs is idle after a change and before anything is asked.

;;; Code:

(require 'trunkline)

(defconst trunkline-files--idle 0.2 "Seconds without input after which changes are sent.")

(defvar trunkline-files--timer nil "Sends what has changed.")

(defvar-local trunkline-files--version nil "Version of what the server knows of the buffer; nil: nothing.")
(defvar-local trunkline-files--changed nil "Whether the buffer has changed since.")
;; Another major mode does not change what the server knows.
(put 'trunkline-files--version 'permanent-local t)
(put 'trunkline-files--changed 'permanent-local t)
(put 'trunkline-files--note 'permanent-local-hook t)
(put 'trunkline-files--close 'permanent-local-hook t)

(defun trunkline-files--text ()
  "The text of the whole buffer."
  (save-restriction (widen) (buffer-substring-no-properties (point-min) (point-max))))

(defun trunkline-files--open ()
  "Tell the server of the buffer, if it visits a file of the project."
  (when (and buffer-file-name (null trunkline-files--version) (trunkline--connected-p)
             (file-in-directory-p buffer-file-name (trunkline--root trunkline--connection)))
    (setq trunkline-files--version 0
          trunkline-files--changed nil)
    (add-hook 'after-change-functions #'trunkline-files--note nil t)
    (add-hook 'kill-buffer-hook #'trunkline-files--close nil t)
    (jsonrpc-notify trunkline--connection :textDocument/didOpen
                    `(:textDocument (:uri ,(trunkline--uri buffer-file-name)
                                     :languageId ,(string-remove-suffix "-mode" (symbol-name major-mode))
                                     :version 0
                                     :text ,(trunkline-files--text))))))

(defun trunkline-files--note (&rest _)
  "The buffer has changed."
  (setq trunkline-files--changed t))

(defun trunkline-files--close ()
  "The buffer is no more."
  (when (trunkline--connected-p)
    (jsonrpc-notify trunkline--connection :textDocument/didClose
                    `(:textDocument (:uri ,(trunkline--uri buffer-file-name))))))

(defun trunkline-files-send ()
  "Send the buffers that have changed."
  (dolist (buffer (buffer-list))
    (when (buffer-local-value 'trunkline-files--changed buffer)
      (with-current-buffer buffer
        (setq trunkline-files--changed nil)
        (cl-incf trunkline-files--version)
        (jsonrpc-notify trunkline--connection :textDocument/didChange
                        `(:textDocument (:uri ,(trunkline--uri buffer-file-name)
                                         :version ,trunkline-files--version)
                          :contentChanges [(:text ,(trunkline-files--text))]))))))

(defun trunkline-files-share ()
  "Share buffers with the server from now on."
  (add-hook 'find-file-hook #'trunkline-files--open)
  (setq trunkline-files--timer (run-with-idle-timer trunkline-files--idle t #'trunkline-files-send))
  (dolist (buffer (buffer-list))
    (with-current-buffer buffer (trunkline-files--open))))

(defun trunkline-files-unshare ()
  "Share nothing any more."
  (remove-hook 'find-file-hook #'trunkline-files--open)
  (when trunkline-files--timer
    (cancel-timer trunkline-files--timer)
    (setq trunkline-files--timer nil))
  (dolist (buffer (buffer-list))
    (with-current-buffer buffer
      (when trunkline-files--version
        (remove-hook 'after-change-functions #'trunkline-files--note t)
        (remove-hook 'kill-buffer-hook #'trunkline-files--close t)
        (setq trunkline-files--version nil
              trunkline-files--changed nil)))))

;;; Edits (LSP 3.17, "Text Documents" says what ends a line)

(defun trunkline-files--point (position)
  "Where the LSP POSITION is; the end of the buffer if there is no such line."
  (goto-char (point-min))
  (let ((line (plist-get position :line)))
    (if (and (> line 0) (not (re-search-forward "\r\n?\\|\n" nil t line)))
        (point-max)
      (min (point-max) (+ (point) (plist-get position :character))))))

(defun trunkline-files--replace (edits)
  "Make EDITS, all of which are of the text before, in the buffer."
  (save-excursion
    (save-restriction
      (widen)
      (let ((places (cl-map 'list
                            (lambda (edit)
                              (let ((range (plist-get edit :range)))
                                (list (trunkline-files--point (plist-get range :start))
                                      (trunkline-files--point (plist-get range :end))
                                      (plist-get edit :newText))))
                            edits)))
        (undo-boundary)
        (atomic-change-group
          (pcase-dolist (`(,start ,end ,text) (reverse places))
            (goto-char start)
            (delete-region start end)
            (insert text)))
        (undo-boundary)))))

(defun trunkline-files--change (change)
  "Make one of `documentChanges', CHANGE; nil when it does not fit any more."
  (let* ((document (plist-get change :textDocument))
         (uri (or (plist-get document :uri) (plist-get change :uri)))
         (path (url-unhex-string (string-remove-prefix "file://" uri)))
         (buffer (find-file-noselect (decode-coding-string path 'utf-8) t))
         (version (plist-get document :version)))
    (with-current-buffer buffer
      (unless (or buffer-read-only
                  (and version (or trunkline-files--changed (/= version trunkline-files--version))))
        (trunkline-files--replace (plist-get change :edits))
        t))))

(defun trunkline-files-apply (params)
  "Do what `workspace/applyEdit' asks for in PARAMS; nothing is saved."
  (let ((applied (cl-every #'trunkline-files--change
                           (plist-get (plist-get params :edit) :documentChanges))))
    ;; Before the answer: the model may read right after it.
    (trunkline-files-send)
    `(:applied ,(if applied t :json-false))))

(provide 'trunkline-files)
;;; trunkline-files.el ends here
