;;; client.el --- Drives the server with eglot  -*- lexical-binding: t; -*-

;;; Commentary:

;; emacs -Q --batch -l client.el
;; support/editors.py says what TRUNKLINE_TEST_PLAN holds and what is printed.

;;; Code:

;; Debian keeps eglot apart while Emacs is older than 29.
(require 'package)
(add-to-list 'package-directory-list "/usr/share/emacs/site-lisp/elpa")
(package-initialize)
(unless (require 'eglot nil t)
  (kill-emacs 77))
(require 'cl-lib)

(setq locale-coding-system 'utf-8
      eglot-sync-connect t
      eglot-connect-timeout 20
      eglot-autoshutdown nil)

(defvar client-plan (json-parse-string (getenv "TRUNKLINE_TEST_PLAN") :object-type 'plist))
(defvar client-patience (/ (plist-get client-plan :patienceMs) 1000.0))
(defvar client-received nil "Methods of the messages the server sent besides answers, latest first.")
(defvar client-chats (make-hash-table :test #'equal) "What to call with an event, by progress token.")
(defvar client-exit-status nil)

(defmacro client-wait-for (what condition)
  "Let messages in until CONDITION holds; give up on WHAT after a while."
  `(with-timeout (client-patience (error "Still waiting for %s" ,what))
     (while (not ,condition) (accept-process-output nil 0.05))))

;;; The server, a class of its own so that its messages can be told from other servers'.

(defclass client-server (eglot-lsp-server) () "Trunkline.")

(cl-defmethod eglot-handle-notification :before ((_server client-server) method &key token &allow-other-keys)
  (unless (and (eq method '$/progress) (gethash token client-chats))
    (push (symbol-name method) client-received)))

(cl-defmethod eglot-handle-request :before ((_server client-server) method &rest _)
  (push (symbol-name method) client-received))

(cl-defmethod eglot-handle-notification ((_server client-server) (_method (eql $/progress)) &key token value)
  "Values of a chat's token are its events; any other progress is the editor's business."
  (let ((on-event (gethash token client-chats)))
    (if on-event (funcall on-event value) (cl-call-next-method))))

(cl-defmethod jsonrpc-shutdown :before ((server client-server) &optional _cleanup)
  "Let SERVER exit by itself: eglot kills it right after the exit notification."
  (let ((process (jsonrpc--process server)))
    (client-wait-for "the server to exit" (not (process-live-p process)))
    (setq client-exit-status (process-exit-status process))))

(defun client-connect ()
  "Visit the file and start the server for it, as M-x eglot does."
  (add-to-list 'eglot-server-programs
               `(text-mode . (client-server . ,(append (plist-get client-plan :server) nil))))
  (find-file (plist-get client-plan :file))
  (call-interactively #'eglot)
  (eglot-current-server))

;;; Chats.

(cl-defstruct client-chat events (text "") result error events-before request-id)

(defun client-note-event (server chat event cancel-at)
  "Add EVENT to CHAT; cancel it once its text is CANCEL-AT."
  (setf (client-chat-events chat) (append (client-chat-events chat) (list event)))
  (when (equal (plist-get event :type) "text.delta")
    (setf (client-chat-text chat) (concat (client-chat-text chat) (plist-get event :text)))
    (when (equal (client-chat-text chat) cancel-at)
      (jsonrpc-notify server :$/cancelRequest `(:id ,(client-chat-request-id chat))))))

(defun client-finish-chat (server model token &optional cancel-at)
  "Ask SERVER for a chat with MODEL, its events on TOKEN; what came, as JSON.
It is cancelled once its text is CANCEL-AT."
  (let ((chat (make-client-chat)))
    (puthash token (lambda (event) (client-note-event server chat event cancel-at)) client-chats)
    (jsonrpc-async-request
     server :chat/stream
     `(:model ,model
       :messages [(:role "user" :content ,(plist-get client-plan :question))]
       :partialResultToken ,token)
     :timeout client-patience
     :success-fn (lambda (result)
                   (setf (client-chat-result chat) result
                         (client-chat-events-before chat) (length (client-chat-events chat))))
     :error-fn (lambda (error) (setf (client-chat-error chat) error)))
    (setf (client-chat-request-id chat) (jsonrpc--next-request-id server))
    (client-wait-for "the result of the chat" (or (client-chat-result chat) (client-chat-error chat)))
    `(:events ,(vconcat (client-chat-events chat))
      :text ,(client-chat-text chat)
      :eventsBefore ,(client-chat-events-before chat)
      :result ,(client-chat-result chat)
      :error ,(client-chat-error chat))))

;;; All of it.

(let* ((server (client-connect))
       (models (plist-get (jsonrpc-request server :model/list
                                           `(:providerIds [,(plist-get client-plan :provider)])
                                           :timeout client-patience)
                          :models))
       (chat (client-finish-chat server (plist-get (aref models 0) :model) "chat"))
       (cancelled (client-finish-chat server (plist-get client-plan :slowModel) 7
                                      (plist-get client-plan :slowAnswer)))
       (capabilities (eglot--capabilities server))
       (server-info (eglot--server-info server)))
  (client-wait-for "the connection to the provider to close"
                   (file-exists-p (plist-get client-plan :closedFile)))
  (eglot-shutdown server nil client-patience)
  (princ (decode-coding-string
          (json-serialize
           `(:editor ,(format "Emacs %s" emacs-version)
             :serverName ,(plist-get server-info :name)
             :capabilities ,capabilities
             :received ,(vconcat (reverse client-received))
             :models ,models
             :chat ,chat
             :cancelled ,cancelled
             :exitCode ,client-exit-status)
           :null-object nil :false-object :json-false)
          'utf-8)))

;;; client.el ends here
