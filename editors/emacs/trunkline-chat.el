;;; trunkline-chat.el --- Sessions in buffers  -*- lexical-binding: t; -*-

;;; Commentary:

;; A buffer shows a session as Markdown that grows at its end.  Nobody but this
;; file writes to it, so a message that is being written is always its end, and
;; is replaced there by `item.completed'.

;;; Code:

(require 'trunkline)

(declare-function trunkline-files-send "trunkline-files")

(defconst trunkline-chat--latency 50
  "Milliseconds that deltas may wait for more: a fast model costs Emacs little.")

(defvar trunkline-chat--latest nil "The buffer of the chat that was used last.")
(defvar trunkline-chat--model nil "The model of new chats; nil is what the server takes by itself.")

(defvar-local trunkline-chat--session nil "What the server says of the session, a plist.")
(defvar-local trunkline-chat--seen nil
  "The last event that is shown; nil until `session/attach' is answered.")
(defvar-local trunkline-chat--speaker nil "Whose heading came last.")
(defvar-local trunkline-chat--open nil
  "The message that is being written: id, beginning, kind of its last delta.")

(defvar trunkline-chat-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "RET") #'trunkline-write)
    (define-key map (kbd "C-c C-c") #'trunkline-stop)
    map))

(define-derived-mode trunkline-chat-mode special-mode "Trunkline"
  "A session.  \\<trunkline-chat-mode-map>\\[trunkline-write] writes to the model, \
\\[trunkline-stop] interrupts it."
  (setq-local window-point-insertion-type t) ; windows that show the end go on showing it
  (setq-local font-lock-defaults '((("^## .*" . 'bold) ("^> .*" . 'shadow))))
  (setq header-line-format '(:eval (trunkline-chat--status)))
  (buffer-disable-undo)
  (visual-line-mode)
  (add-hook 'kill-buffer-hook #'trunkline-chat--leave nil t))

(defun trunkline-chat--status ()
  "Title, model and state of the session."
  (let ((state (plist-get trunkline-chat--session :state)))
    (string-join (delq nil (list (or (plist-get trunkline-chat--session :title) "New session")
                                 (plist-get trunkline-chat--session :model)
                                 (unless (equal state "idle") state)))
                 " · ")))

(defun trunkline-chat--id (&optional buffer)
  "The id of the session of BUFFER or the current one."
  (plist-get (buffer-local-value 'trunkline-chat--session (or buffer (current-buffer))) :sessionId))

(defun trunkline-chat--find (session-id)
  "The buffer of SESSION-ID, if there is one."
  (cl-find session-id (buffer-list) :key #'trunkline-chat--id :test #'equal))

(defun trunkline-chat--current ()
  "The chat of the current buffer, or the one that was used last."
  (setq trunkline-chat--latest
        (cond (trunkline-chat--session (current-buffer))
              ((buffer-live-p trunkline-chat--latest) trunkline-chat--latest))))

;;; Following

(defun trunkline-chat-open (session-id &optional act)
  "Show SESSION-ID, follow it, and call ACT."
  (let ((buffer (or (trunkline-chat--find session-id)
                    (generate-new-buffer (format "*trunkline %s*" session-id)))))
    (setq trunkline-chat--latest buffer)
    (pop-to-buffer buffer)
    (unless trunkline-chat--session
      (trunkline-chat-mode)
      (setq trunkline-chat--session `(:sessionId ,session-id)))
    (goto-char (point-max))
    (if (not trunkline-chat--seen)
        (trunkline-chat--attach buffer act)
      (when act (funcall act)))))

(defun trunkline-chat--attach (buffer &optional act)
  "Follow the session of BUFFER, draw it anew, and call ACT."
  (trunkline--request
   :session/attach `(:sessionId ,(trunkline-chat--id buffer)
                     :role "controller"
                     :delivery (:maxLatencyMs ,trunkline-chat--latency))
   (lambda (result)
     (when (buffer-live-p buffer)
       (with-current-buffer buffer
         (setq trunkline-chat--seen (plist-get result :headSeq))
         (trunkline-chat--draw (plist-get result :snapshot)))
       (when act (funcall act))))))

(defun trunkline-chat--leave ()
  "Follow the session of the buffer no more."
  (when (and trunkline-chat--seen (trunkline--connected-p))
    (trunkline--request :session/detach `(:sessionId ,(trunkline-chat--id)))))

;;; What the user does

(defun trunkline-chat (&optional new text)
  "Go on with the latest chat, or begin one; with prefix argument NEW in any case.
An active region is quoted in the prompt.  TEXT is sent, if given."
  (interactive "P")
  (let* ((quoted (if (use-region-p) (trunkline-chat--quoted (region-beginning) (region-end)) ""))
         (say (lambda ()
                (if text
                    (trunkline-chat--send trunkline-chat--latest (concat quoted text))
                  (trunkline--soon (trunkline-write quoted)))))
         (chat (trunkline-chat--current)))
    (if (and chat (not new))
        (trunkline-chat-open (trunkline-chat--id chat) say)
      (trunkline--request
       :session/create (and trunkline-chat--model `(:model ,trunkline-chat--model))
       (lambda (result)
         (trunkline--soon
           (trunkline-chat-open (plist-get (plist-get result :session) :sessionId) say)))))))

(defun trunkline-chat--quoted (start end)
  "The text from START to END as Markdown."
  (format "%s, lines %d to %d:\n```%s\n%s\n```\n\n"
          (if buffer-file-name (file-relative-name buffer-file-name) (buffer-name))
          (line-number-at-pos start) (line-number-at-pos end)
          (string-remove-suffix "-mode" (symbol-name major-mode))
          (string-trim-right (buffer-substring-no-properties start end) "\n")))

(defun trunkline-chat--send (buffer text)
  "Ask TEXT in the chat of BUFFER; what cannot be sent comes back into the prompt."
  (when (featurep 'trunkline-files)
    (trunkline-files-send))
  (trunkline--request
   :session/prompt `(:sessionId ,(trunkline-chat--id buffer)
                     :input [(:type "text" :text ,text)]
                     :requestKey ,(format "emacs-%d-%s" (emacs-pid) (format-time-string "%s%N")))
   nil
   (lambda (error)
     (message "Trunkline: %s" (trunkline--explain error))
     (trunkline--soon (trunkline-write text)))))

(defun trunkline-chat-use-model (model)
  "Use MODEL in the latest chat and in new ones."
  (setq trunkline-chat--model model)
  (when-let ((chat (trunkline-chat--current)))
    (trunkline--request :session/update `(:sessionId ,(trunkline-chat--id chat) :model ,model))))

(defun trunkline-stop ()
  "Interrupt the model; what it has said is kept."
  (interactive)
  (when-let ((chat (trunkline-chat--current)))
    (trunkline--request :session/interrupt `(:sessionId ,(trunkline-chat--id chat)))))

(defvar-local trunkline-prompt--chat nil "The chat that the prompt is for.")

(defvar trunkline-prompt-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "C-c C-c") #'trunkline-prompt-send)
    map))

(define-derived-mode trunkline-prompt-mode text-mode "Trunkline-Prompt"
  "What is asked next.  \\<trunkline-prompt-mode-map>\\[trunkline-prompt-send] sends it."
  (setq header-line-format (substitute-command-keys "\\[trunkline-prompt-send] sends")))

(defun trunkline-write (&optional text)
  "Write to the model in a buffer below the chat, which begins with TEXT."
  (interactive)
  (when-let ((chat (trunkline-chat--current)))
    (pop-to-buffer (get-buffer-create "*trunkline prompt*") '(display-buffer-below-selected (window-height . 8)))
    (unless (derived-mode-p 'trunkline-prompt-mode)
      (trunkline-prompt-mode))
    (setq trunkline-prompt--chat chat)
    (goto-char (point-max))
    (insert (or text ""))))

(defun trunkline-prompt-send ()
  "Send what is in the prompt."
  (interactive)
  (let ((text (string-trim (buffer-string)))
        (chat trunkline-prompt--chat))
    (when (and (buffer-live-p chat) (not (string-empty-p text)))
      (erase-buffer)
      (quit-window)
      (trunkline-chat-open (trunkline-chat--id chat) (lambda () (trunkline-chat--send chat text))))))

;;; What the server says

(defmacro trunkline-chat--in (session-id &rest body)
  "Do BODY in the buffer of SESSION-ID, if there is one."
  (declare (indent 1))
  `(when-let ((buffer (trunkline-chat--find ,session-id)))
     (with-current-buffer buffer ,@body)))

(defun trunkline-chat--on-event (event)
  "Show EVENT.
Before the answer to `session/attach' events are those of an
earlier attachment: the snapshot has them."
  (trunkline-chat--in (plist-get event :sessionId)
    (when (and trunkline-chat--seen (> (plist-get event :seq) trunkline-chat--seen))
      (setq trunkline-chat--seen (plist-get event :seq))
      (trunkline-chat--take event))))

(defun trunkline-chat--on-lagged (params)
  "Draw the session of PARAMS anew: events are missing."
  (trunkline-chat--in (plist-get params :sessionId)
    (setq trunkline-chat--seen nil)
    (trunkline-chat--attach buffer)))

(defun trunkline-chat--on-closed (params)
  "The session of PARAMS is no more."
  (trunkline-chat--in (plist-get params :sessionId)
    (setq trunkline-chat--seen nil)
    (let ((error (plist-get params :error)))
      (trunkline-chat--add (trunkline-chat--as-quote
                            (if error (trunkline--explain error) "The session is closed."))))))

(defun trunkline-chat--on-disconnected ()
  "There is no server any more."
  (dolist (buffer (buffer-list))
    (when (buffer-local-value 'trunkline-chat--session buffer)
      (with-current-buffer buffer
        (setq trunkline-chat--seen nil)
        (trunkline-chat--add "> There is no connection to the server any more; M-x trunkline-chat makes another one.")))))

;;; Drawing

(defun trunkline-chat--append (text)
  "Go on with TEXT."
  (let ((inhibit-read-only t))
    (save-excursion
      (goto-char (point-max))
      (insert text))))

(defun trunkline-chat--add (text)
  "Add a paragraph, TEXT."
  (trunkline-chat--append (if (zerop (buffer-size)) text (concat "\n\n" text))))

(defun trunkline-chat--as-quote (text)
  "TEXT as a Markdown quotation."
  (mapconcat (lambda (line) (if (string-empty-p line) ">" (concat "> " line))) (split-string text "\n") "\n"))

(defun trunkline-chat--call (call)
  "A tool CALL in one line."
  (format "> `%s` %s" (plist-get call :name)
          (or (plist-get call :argumentsText)
              (decode-coding-string (json-serialize (or (plist-get call :arguments) trunkline--none)
                                                    :false-object :json-false)
                                    'utf-8))))

(defun trunkline-chat--result (part)
  "What a tool said in PART: its first line, and how much more there is."
  (let ((lines (split-string (mapconcat (lambda (piece) (or (plist-get piece :text) (plist-get piece :mimeType)))
                                        (plist-get part :content) "\n")
                             "\n")))
    (concat (if (eq (plist-get part :isError) t) "> ✗ " "> → ") (car lines)
            (if (cdr lines) (format " (and %d more lines)" (length (cdr lines))) ""))))

(defun trunkline-chat--part (part)
  "PART of a message as Markdown."
  (pcase (plist-get part :type)
    ("text" (plist-get part :text))
    ("reasoning" (trunkline-chat--as-quote (plist-get part :text)))
    ("toolCall" (trunkline-chat--call part))
    ("toolResult" (trunkline-chat--result part))
    (type (format "> [%s]" (or (plist-get part :mimeType) type)))))

(defun trunkline-chat--item (item)
  "ITEM as Markdown; its parts stand apart by an empty line."
  (let ((content (plist-get (plist-get item :message) :content)))
    (string-join
     (append (mapcar (lambda (notice) (trunkline-chat--as-quote (plist-get notice :message)))
                     (plist-get item :notices))
             (if (stringp content) (list content) (mapcar #'trunkline-chat--part content)))
     "\n\n")))

(defun trunkline-chat--draw (snapshot)
  "Draw SNAPSHOT instead of all there is."
  (let ((inhibit-read-only t))
    (erase-buffer))
  (setq trunkline-chat--speaker nil
        trunkline-chat--open nil
        trunkline-chat--session (plist-get snapshot :session))
  (when (eq (plist-get snapshot :hasMore) t)
    (trunkline-chat--add "> There are earlier turns."))
  (cl-loop for turn across (plist-get snapshot :turns) do
           (cl-loop for item across (plist-get turn :items) do
                    (trunkline-chat--begin item (plist-get item :message))
                    (trunkline-chat--complete item))
           (when (plist-get turn :compaction)
             (trunkline-chat--summed-up))
           (unless (member (plist-get turn :status) '("running" "queued"))
             (trunkline-chat--end-turn turn)))
  (when-let ((item (plist-get snapshot :openItem)))
    (trunkline-chat--begin item (plist-get item :message))
    (trunkline-chat--append (trunkline-chat--item item)))
  (goto-char (point-max)))

(defun trunkline-chat--begin (item message)
  "The message ITEM begins, under the heading of who speaks by the role of MESSAGE."
  (let ((speaker (pcase (plist-get message :role)
                   ("user" "You")
                   ("tool" trunkline-chat--speaker)
                   (_ (or (plist-get item :model) (plist-get message :model) "Model")))))
    (unless (equal speaker trunkline-chat--speaker)
      (setq trunkline-chat--speaker speaker)
      (trunkline-chat--add (concat "## " speaker))))
  (trunkline-chat--add "")
  (setq trunkline-chat--open (list (plist-get item :itemId) (point-max) nil)))

(defun trunkline-chat--stream (event kind text)
  "TEXT of EVENT is more of its message; another KIND begins a paragraph."
  (pcase-let ((`(,id ,start ,last) trunkline-chat--open))
    (when (equal id (plist-get event :itemId))
      (unless (member last (list nil kind))
        (trunkline-chat--append "\n\n"))
      (when (eq kind 'reasoning)
        (setq text (concat (if (eq last kind) "" "> ") (string-replace "\n" "\n> " text))))
      (setq trunkline-chat--open (list id start kind))
      (trunkline-chat--append text))))

(defun trunkline-chat--complete (item)
  "ITEM is whole: what was streamed of it is replaced."
  (pcase-let ((`(,id ,start ,_) trunkline-chat--open))
    (when (equal id (plist-get item :itemId))
      (let ((inhibit-read-only t))
        (delete-region start (point-max)))
      (trunkline-chat--append (trunkline-chat--item item))
      (setq trunkline-chat--open nil))))

(defun trunkline-chat--summed-up ()
  "The conversation was shortened."
  (trunkline-chat--add "> The conversation until here was summed up for the model."))

(defun trunkline-chat--end-turn (turn)
  "TURN has ended: how, and what it took."
  (let ((error (plist-get turn :error))
        (usage (plist-get turn :usage))
        (cost (plist-get turn :cost)))
    (cond (error (trunkline-chat--add (trunkline-chat--as-quote (concat "**" (trunkline--explain error) "**"))))
          ((equal (plist-get turn :status) "interrupted") (trunkline-chat--add "> *Interrupted.*")))
    (when usage
      (trunkline-chat--add
       (format "> %d in, %d out%s" (plist-get usage :inputTokens) (plist-get usage :outputTokens)
               (if cost
                   (format ", %s%s %s" (if (eq (plist-get cost :estimated) t) "about " "")
                           (trunkline-chat--amount (plist-get cost :amount)) (plist-get cost :currency))
                 ""))))))

(defun trunkline-chat--amount (amount)
  "AMOUNT of money, a number or a string."
  (format "%.4f" (if (stringp amount) (string-to-number amount) amount)))

(defun trunkline-chat--take (event)
  "Draw EVENT; those of other types change nothing that is shown."
  (pcase (plist-get event :type)
    ("item.started" (trunkline-chat--begin event (plist-get event :item)))
    ("text.delta" (trunkline-chat--stream event 'text (plist-get event :text)))
    ("reasoning.delta" (trunkline-chat--stream event 'reasoning (plist-get event :text)))
    ("toolCall.completed"
     (let ((call (plist-get event :call)))
       (trunkline-chat--stream event (plist-get call :callId) (trunkline-chat--call call))))
    ("retry.scheduled"
     (trunkline-chat--stream event 'retry
                             (format "> *%s Trying again in %.1f s.*"
                                     (plist-get (plist-get event :error) :message)
                                     (/ (plist-get event :delayMs) 1000.0))))
    ("item.completed" (trunkline-chat--complete (plist-get event :item)))
    ("context.compacted" (trunkline-chat--summed-up))
    ("turn.completed" (trunkline-chat--end-turn event))
    ("session.updated"
     (dolist (name '(:title :model))
       (when-let ((value (plist-get event name)))
         (setq trunkline-chat--session (plist-put trunkline-chat--session name value)))))
    ("state" (setq trunkline-chat--session
                   (plist-put trunkline-chat--session :state (plist-get event :state)))))
  (force-mode-line-update))

(provide 'trunkline-chat)
;;; trunkline-chat.el ends here
