;;; trunkline.el --- Talk with AI models through Trunkline  -*- lexical-binding: t; -*-

;; Package-Requires: ((emacs "28.1"))
;; Keywords: tools

;;; Commentary:

;; Trunkline is a language server whose language is AI models.  This package
;; shows its sessions in buffers.  It needs the program `trunkline'.
;;
;;   M-x trunkline-chat       go on with the latest chat, or begin one
;;   M-x trunkline-model      choose the model
;;   M-x trunkline-login      store a key, or sign in
;;   M-x trunkline-sessions   open a session
;;   M-x trunkline-attach     talk to a server that runs already
;;
;; This file has the connection, which is one of jsonrpc.el: eglot has one
;; server for a major mode, and that is the language's.

;;; Code:

(require 'cl-lib)
(require 'jsonrpc)
(require 'project)
(require 'subr-x)
(require 'url-util)

(declare-function trunkline-chat--on-event "trunkline-chat")
(declare-function trunkline-chat--on-lagged "trunkline-chat")
(declare-function trunkline-chat--on-closed "trunkline-chat")
(declare-function trunkline-chat--on-disconnected "trunkline-chat")
(declare-function trunkline-commands--on-login "trunkline-commands")
(declare-function trunkline-commands--permission "trunkline-commands")
(declare-function trunkline-files-share "trunkline-files")
(declare-function trunkline-files-unshare "trunkline-files")
(declare-function trunkline-files-apply "trunkline-files")

(autoload 'trunkline-chat "trunkline-chat" nil t)
(autoload 'trunkline-stop "trunkline-chat" nil t)
(autoload 'trunkline-model "trunkline-commands" nil t)
(autoload 'trunkline-login "trunkline-commands" nil t)
(autoload 'trunkline-sessions "trunkline-commands" nil t)
(autoload 'trunkline-attach "trunkline-commands" nil t)

(defgroup trunkline nil "Talk with AI models." :group 'tools)

(defcustom trunkline-command '("trunkline")
  "How the program is started; `--stdio' or `attach ...' follows."
  :type '(repeat string))

(defcustom trunkline-settings nil
  "The settings section `trunkline' as a plist, such as (:model \"provider/model\")."
  :type 'plist)

(defconst trunkline--none (make-hash-table) "An object without members.")

(defconst trunkline--capabilities
  `(:general (:positionEncodings ["utf-32"]) ; characters, as Emacs counts them
    :workspace (:applyEdit t
                :configuration t
                :workspaceEdit (:documentChanges t :resourceOperations ["create"]))
    :window (:showDocument (:support t))
    :experimental
    (:trunkline (:versions ["1.0"]
                 :events t
                 :permissions ,trunkline--none
                 :optOut ["auth/changed" "model/changed" "provider/changed"
                          "server/notice" ; window/showMessage says it too
                          "server/statusChanged" "session/changed"])))
  "What this client does, for `initialize'.")

;;; The connection

(defclass trunkline-connection (jsonrpc-process-connection)
  ((root :initarg :root :reader trunkline--root
         :documentation "The directory of the project."))
  "A connection to a server.")

(cl-defstruct trunkline--later
  "The answer to a request of the server that is not known yet."
  ask) ; called with a function that takes the answer

(cl-defmethod jsonrpc-connection-send ((connection trunkline-connection) &key id result &allow-other-keys)
  "Send a message over CONNECTION; RESULT for ID may be one that comes later."
  (if (trunkline--later-p result)
      (funcall (trunkline--later-ask result)
               (lambda (answer) (jsonrpc-connection-send connection :id id :result answer)))
    (cl-call-next-method)))

(defvar trunkline--connection nil "The connection to a server: at most one.")

(defun trunkline--connected-p ()
  "Whether there is a server."
  (and trunkline--connection (jsonrpc-running-p trunkline--connection)))

(defun trunkline--start (arguments own)
  "Start the program with ARGUMENTS; OWN says whose server it will be."
  (let* ((project (project-current))
         (root (expand-file-name (if project (project-root project) default-directory)))
         (connection
          (make-instance
           'trunkline-connection
           :name "trunkline" :root root
           :process (lambda ()
                      (make-process :name "trunkline" :command (append trunkline-command arguments)
                                    :connection-type 'pipe :coding 'utf-8-emacs-unix :noquery t
                                    :stderr (get-buffer-create "*trunkline stderr*")))
           ;; Keys are sent over it: no buffer may show what is sent.
           :events-buffer-scrollback-size 0
           :notification-dispatcher #'trunkline--notified
           :request-dispatcher #'trunkline--asked
           :on-shutdown #'trunkline--ended)))
    (condition-case failure
        (jsonrpc-request connection :initialize
                         `(:processId ,(emacs-pid)
                           :clientInfo (:name "Emacs" :version ,emacs-version)
                           :rootUri ,(trunkline--uri root)
                           :capabilities ,trunkline--capabilities)
                         :timeout 30)
      (jsonrpc-error
       (user-error "Trunkline does not start (%s): %s" (alist-get 'jsonrpc-error-message (cdr failure))
                   (trunkline--stderr connection))))
    (setq trunkline--connection connection)
    (jsonrpc-notify connection :initialized trunkline--none)
    (when own
      (require 'trunkline-files)
      (trunkline-files-share))))

(defun trunkline--stderr (connection)
  "What the program behind CONNECTION says of its trouble."
  (with-current-buffer (jsonrpc-stderr-buffer connection)
    (string-trim (buffer-string))))

(defun trunkline--uri (path)
  "PATH as a URI."
  (concat "file://" (url-hexify-string (directory-file-name path) url-path-allowed-chars)))

(defun trunkline--ended (connection)
  "CONNECTION is no more."
  (when (eq connection trunkline--connection)
    (setq trunkline--connection nil)
    (when (featurep 'trunkline-files)
      (trunkline-files-unshare))
    (when (featurep 'trunkline-chat)
      (trunkline-chat--on-disconnected))))

(defun trunkline-detach ()
  "End the connection; a server that was attached to goes on."
  (interactive)
  (when (trunkline--connected-p)
    (let ((connection trunkline--connection))
      (trunkline--ended connection)
      (jsonrpc-async-request connection :shutdown nil
                             :success-fn (lambda (_) (jsonrpc-notify connection :exit nil))
                             :error-fn #'ignore :timeout-fn #'ignore))))

(defun trunkline--explain (error)
  "A JSON-RPC ERROR for people."
  (string-join (delq nil (list (plist-get error :message) (plist-get (plist-get error :data) :hint))) " "))

(defun trunkline--request (method params &optional on-result on-error)
  "Send a request of METHOD with PARAMS and call ON-RESULT with its result.
ON-ERROR is called with an error, which is shown without it.  Both
run while messages are read: what asks the user must wait, see
`trunkline--soon'."
  (unless (trunkline--connected-p)
    (trunkline--start '("--stdio") t))
  (jsonrpc-async-request trunkline--connection method (or params trunkline--none)
                         :success-fn (or on-result #'ignore)
                         :error-fn (or on-error (lambda (error) (message "Trunkline: %s" (trunkline--explain error))))
                         :timeout nil))

(defmacro trunkline--soon (&rest body)
  "Do BODY when Emacs is back in its command loop."
  (declare (indent 0))
  `(run-at-time 0 nil (lambda () ,@body)))

;;; What the server says

(defun trunkline--notified (_connection method params)
  "Take the notification METHOD with PARAMS."
  (pcase method
    ('session/event (trunkline-chat--on-event params))
    ('session/lagged (trunkline-chat--on-lagged params))
    ('session/closed (trunkline-chat--on-closed params))
    ('auth/loginCompleted (trunkline-commands--on-login params))
    ('window/showMessage (message "Trunkline: %s" (plist-get params :message)))))

(defun trunkline--asked (_connection method params)
  "The answer to the request METHOD with PARAMS."
  (pcase method
    ('permission/request
     (require 'trunkline-commands)
     (make-trunkline--later
      :ask (lambda (answer) (trunkline--soon (trunkline-commands--permission params answer)))))
    ('workspace/applyEdit (trunkline-files-apply params))
    ('workspace/configuration
     (cl-map 'vector (lambda (_) (or trunkline-settings trunkline--none)) (plist-get params :items)))
    ('window/showDocument
     (browse-url (plist-get params :uri))
     '(:success t))
    (_ (jsonrpc-error :code -32601 :message "Emacs does not know this method."))))

(provide 'trunkline)
;;; trunkline.el ends here
