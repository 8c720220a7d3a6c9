" Drives the server with ALE, Vim's LSP client: vim -N -u NONE -i NONE -n -es -S client.vim
" support/editors.py says what TRUNKLINE_TEST_PLAN holds and what is printed.
set encoding=utf-8
scriptencoding utf-8

let s:plan = json_decode($TRUNKLINE_TEST_PLAN)
let s:seen = {'editor': 'Vim ' . v:version, 'received': []}
let s:answers = {}
let s:chats = {}

function! s:WaitFor(what, Condition) abort
    let l:start = reltime()
    while !a:Condition()
        if reltimefloat(reltime(l:start)) * 1000 > s:plan.patienceMs
            throw 'still waiting for ' . a:what
        endif
        sleep 5m
    endwhile
endfunction

" Every message of the server comes here. Values of a chat's token are its events.
function! s:OnMessage(conn_id, message) abort
    if !has_key(a:message, 'method')
        let s:answers[a:message.id] = a:message
        for l:chat in filter(values(s:chats), 'v:val.id == a:message.id')
            let l:chat.events_before = len(l:chat.events)
        endfor
        if !has_key(s:seen, 'capabilities')
            let s:seen.serverName = a:message.result.serverInfo.name
            let s:seen.capabilities = a:message.result.capabilities
        endif
    elseif a:message.method is# '$/progress' && has_key(s:chats, a:message.params.token)
        call s:chats[a:message.params.token].OnEvent(a:message.params.value)
    else
        call add(s:seen.received, a:message.method)
    endif
endfunction

function! s:Ask(message) abort
    let l:id = ale#lsp#Send(s:conn_id, a:message)
    call s:WaitFor(a:message[1], {-> has_key(s:answers, l:id)})
    return s:answers[l:id].result
endfunction

" Ask for a chat and wait for its result; it is cancelled once its text is `cancel_at`.
function! s:Chat(model, token, cancel_at) abort
    let l:chat = {'id': 0, 'events': [], 'text': '', 'cancel_at': a:cancel_at}
    function! l:chat.OnEvent(event) abort
        call add(self.events, a:event)
        if a:event.type is# 'text.delta'
            let self.text .= a:event.text
            if self.text is# self.cancel_at
                call ale#lsp#Send(s:conn_id, [1, '$/cancelRequest', {'id': self.id}])
            endif
        endif
    endfunction
    let s:chats[a:token] = l:chat
    let l:chat.id = ale#lsp#Send(s:conn_id, [0, 'chat/stream', {
    \   'model': a:model,
    \   'messages': [{'role': 'user', 'content': s:plan.question}],
    \   'partialResultToken': a:token,
    \}])
    call s:WaitFor('the result of the chat', {-> has_key(s:answers, l:chat.id)})
    let l:answer = s:answers[l:chat.id]
    return {
    \   'events': l:chat.events,
    \   'text': l:chat.text,
    \   'eventsBefore': l:chat.events_before,
    \   'result': get(l:answer, 'result'),
    \   'error': get(l:answer, 'error', v:null),
    \}
endfunction

function! s:Drive() abort
    silent! packadd ale
    if !exists(':ALEInfo')
        cquit 77
    endif

    let g:ale_linters = {'text': ['trunkline']}
    call ale#linter#Define('text', {
    \   'name': 'trunkline',
    \   'lsp': 'stdio',
    \   'executable': s:plan.server[0],
    \   'command': join(map(copy(s:plan.server), 'ale#Escape(v:val)')),
    \   'project_root': fnamemodify(s:plan.file, ':h'),
    \})

    " ALE starts the server for a file it knows; the first answer is that to `initialize`.
    execute 'edit' fnameescape(s:plan.file)
    set filetype=text
    call s:WaitFor('ALE', {-> !empty(ale#lsp#GetConnections())})
    let s:conn_id = keys(ale#lsp#GetConnections())[0]
    call ale#lsp#RegisterCallback(s:conn_id, function('s:OnMessage'))
    call s:WaitFor('initialize', {-> ale#lsp#GetConnections()[s:conn_id].initialized})
    let l:job = job_info()[0]

    let s:seen.models = s:Ask([0, 'model/list', {'providerIds': [s:plan.provider]}]).models
    let s:seen.chat = s:Chat(s:seen.models[0].model, 'chat', v:null)
    let s:seen.cancelled = s:Chat(s:plan.slowModel, 7, s:plan.slowAnswer)
    call s:WaitFor('the connection to the provider to close', {-> filereadable(s:plan.closedFile)})

    " ALE itself only closes the pipe and sends SIGTERM.
    call s:Ask(ale#lsp#message#Shutdown())
    call ale#lsp#Send(s:conn_id, ale#lsp#message#Exit())
    call s:WaitFor('the server to exit', {-> job_status(l:job) is# 'dead'})
    let s:seen.exitCode = job_info(l:job).exitval
    call writefile([json_encode(s:seen)], '/dev/stdout')
endfunction

try
    call s:Drive()
catch
    call writefile([v:throwpoint, v:exception], '/dev/stderr')
    cquit
endtry
qall!
