;;; trunkline-commands.el --- What the user chooses from a list  -*- lexical-binding: t; -*-

;;; Commentary:

;; Models, sessions, providers and their keys, servers to attach to, and
;; whether a tool may do something.

;;; Code:

(require 'trunkline)
(require 'trunkline-chat)

(defun trunkline-commands--choose (prompt things describe)
  "Let the user choose one of THINGS, which DESCRIBE makes strings of, at PROMPT."
  (let ((table (mapcar (lambda (thing) (cons (funcall describe thing) thing)) things)))
    (alist-get (completing-read prompt table nil t) table nil nil #'equal)))

(defun trunkline-model (&optional model)
  "Use MODEL in the latest chat and in new ones."
  (interactive)
  (if model
      (trunkline-chat-use-model model)
    (trunkline--request
     :model/list nil
     (lambda (result)
       (trunkline--soon
         (let ((models (append (plist-get result :models) nil)))
           (if (null models)
               (message "Trunkline: no provider can be used yet: M-x trunkline-login")
             (trunkline-chat-use-model
              (plist-get (trunkline-commands--choose
                          "Model: " models (lambda (model) (plist-get model :model)))
                         :model)))))))))

(defun trunkline-commands--describe (session)
  "A line for SESSION."
  (format "%s  %s  %s, %d turns" (or (plist-get session :title) "Without a title")
          (plist-get session :model) (plist-get session :state) (plist-get session :turnCount)))

(defun trunkline-sessions ()
  "Open a session that there is already."
  (interactive)
  (trunkline--request
   :session/list nil
   (lambda (result)
     (trunkline--soon
       (let ((sessions (append (plist-get result :sessions) nil)))
         (if (null sessions)
             (message "Trunkline: there is no session yet: M-x trunkline-chat")
           (trunkline-chat-open
            (plist-get (trunkline-commands--choose "Session: " sessions #'trunkline-commands--describe)
                       :sessionId))))))))

(defun trunkline-attach (target)
  "Talk to the server at TARGET, and open one of its sessions.
TARGET is unix:PATH, ws://HOST:PORT or wss://HOST:PORT; empty for
the server of this machine that started last."
  (interactive "sServer (unix:PATH, ws://HOST:PORT; empty: the latest): ")
  (trunkline-detach)
  (trunkline--start `("attach" ,@(split-string target)) nil)
  (trunkline-sessions))

;;; Keys

(defun trunkline-login (&optional provider-id)
  "Store a key for the provider PROVIDER-ID, or sign in to it."
  (interactive)
  (trunkline--request
   :provider/list nil
   (lambda (result)
     (trunkline--soon
       (let* ((providers (append (plist-get result :providers) nil))
              (provider (if provider-id
                            (cl-find provider-id providers :test #'equal
                                     :key (lambda (provider) (plist-get provider :providerId)))
                          (trunkline-commands--choose
                           "Provider: " providers (lambda (provider) (plist-get provider :name)))))
              (methods (append (plist-get (plist-get provider :auth) :methods) nil)))
         (unless provider
           (user-error "There is no provider %s" provider-id))
         (trunkline-commands--sign-in
          provider (if (cdr methods) (completing-read "How? " methods nil t) (or (car methods) "apiKey"))))))))

(defun trunkline-commands--sign-in (provider method)
  "Sign in to PROVIDER by METHOD."
  (let ((id (plist-get provider :providerId))
        (name (plist-get provider :name)))
    (if (equal method "apiKey")
        (let ((secret (read-passwd (format "Key for %s: " name))))
          (trunkline--request
           :auth/set `(:providerId ,id :secret ,secret :verify t)
           (lambda (result)
             (let ((error (plist-get (plist-get result :verification) :error)))
               (message "Trunkline: %s" (if error (trunkline--explain error) (format "the key for %s is stored" name))))))
          (clear-string secret))
      (trunkline--request
       :auth/login `(:providerId ,id :method ,method)
       (lambda (result) (trunkline--soon (trunkline-commands--go-on result)))))))

(defun trunkline-commands--go-on (login)
  "Show the page of LOGIN and take the code that it shows, if it does."
  (when-let ((url (plist-get login :url)))
    (browse-url url))
  (message "Trunkline: go to %s%s" (or (plist-get login :url) "the page that opens")
           (if-let ((code (plist-get login :userCode))) (format " and enter the code %s" code) ""))
  (when (eq (plist-get login :needsCode) t)
    (let ((code (read-passwd "Code that the page shows: ")))
      (trunkline--request :auth/submitCode `(:loginId ,(plist-get login :loginId) :code ,code))
      (clear-string code))))

(defun trunkline-commands--on-login (params)
  "Take `auth/loginCompleted' with PARAMS."
  (message "Trunkline: %s" (if (eq (plist-get params :ok) t)
                               "you are signed in"
                             (trunkline--explain (plist-get params :error)))))

;;; Permissions

(defun trunkline-commands--permission (params answer)
  "Ask the user as PARAMS of `permission/request' say, and call ANSWER.
Nothing that is not chosen is allowed."
  (let* ((enable-recursive-minibuffers t)
         (subject (plist-get params :subject))
         (arguments (plist-get subject :arguments))
         (chosen (ignore-error quit
                   (trunkline-commands--choose
                    (format "%s %s " (plist-get params :title)
                            (if arguments (decode-coding-string (json-serialize arguments) 'utf-8) ""))
                    (append (plist-get params :options) nil)
                    (lambda (option) (plist-get option :label))))))
    (funcall answer (if chosen
                        `(:outcome "selected" :optionId ,(plist-get chosen :optionId))
                      '(:outcome "cancelled")))))

(provide 'trunkline-commands)
;;; trunkline-commands.el ends here
