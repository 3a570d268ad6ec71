//! The audit chain.

use super::layout::{self, Tab};
use crate::desk::sign_in::Signed;
use crate::pages::{Beijing, Escaped, push};
use crate::store::desk::chain::Broken;
use crate::store::desk::{AuditAct, AuditHead, AuditLine};

/// What is shown.
pub(crate) struct Chain {
    pub(crate) head: AuditHead,
    pub(crate) lines: Vec<AuditLine>,
    /// Whether there are older ones.
    pub(crate) more: bool,
    /// Whether these are the newest.
    pub(crate) first: bool,
    /// What came out when the chain was followed just now.
    pub(crate) verified: Option<(AuditHead, Result<(), Broken>)>,
}

fn act_label(act: AuditAct) -> &'static str {
    match act {
        AuditAct::SignIn => "登录",
        AuditAct::SignInFailed => "登录失败",
        AuditAct::SignOut => "退出",
        AuditAct::AccountAdded => "新建账号",
        AuditAct::AccountReset => "重置账号",
        AuditAct::AccountDisabled => "停用账号",
        AuditAct::AccountEnabled => "恢复账号",
        AuditAct::RoleChanged => "更改角色",
        AuditAct::PasswordChanged => "修改密码",
        AuditAct::CaseStep => "处理办件",
        AuditAct::Unmask => "查看内容",
        AuditAct::Retry => "重试记录",
        AuditAct::AsideReleased => "放行隔离记录",
        AuditAct::AsideReviewed => "继续隔离",
        AuditAct::RelayReleased => "重新移交",
        AuditAct::NothingHeld => "查询，无记录",
        AuditAct::DocumentIssued => "出具证明",
        AuditAct::DocumentRevoked => "作废证明",
        AuditAct::AuditVerified => "校验审计链",
        AuditAct::CallAnswered => "答应求助",
        AuditAct::Erased => "按规则删除",
        AuditAct::AuditPruned => "清理旧审计",
    }
}

/// Lines an auditor looks at first.
fn is_loud(act: AuditAct) -> bool {
    matches!(
        act,
        AuditAct::Unmask
            | AuditAct::AsideReleased
            | AuditAct::DocumentRevoked
            | AuditAct::SignInFailed
            | AuditAct::RoleChanged
            | AuditAct::AccountReset
    )
}

/// The page.
pub(crate) fn page(signed: &Signed, chain: &Chain) -> String {
    let mut html = String::with_capacity(4096 + chain.lines.len() * 512);
    if let Some((head, found)) = &chain.verified {
        match found {
            Ok(()) => push(
                &mut html,
                format_args!(
                    r#"<p class="right" role="status">审计链完整：第 {} 条至第 {} 条逐条校验通过。</p>"#,
                    head.base_seq + 1,
                    head.seq
                ),
            ),
            Err(broken) => {
                let what = match broken {
                    Broken::Missing { wanted } => format!("第 {wanted} 条缺失"),
                    Broken::Changed { seq } => format!("第 {seq} 条或它之前的内容被改动"),
                    Broken::End => "链的末尾与记录不符".to_owned(),
                };
                push(
                    &mut html,
                    format_args!(r#"<p class="wrong" role="alert">审计链不完整：{what}。请立即报告。</p>"#),
                );
            }
        }
    }
    push(
        &mut html,
        format_args!(
            r#"<section class="sheet chain"><dl class="facts"><div><dt>链上记录</dt><dd>第 {} 条至第 {} 条</dd></div><div><dt>链头指纹</dt><dd class="code">{}</dd></div></dl><form method="post" action="/desk/audit">{}<button class="button">逐条校验</button></form></section>"#,
            chain.head.base_seq + 1,
            chain.head.seq,
            Escaped(&chain.head.hash),
            layout::token(signed),
        ),
    );
    html.push_str(r#"<div class="sheet"><table class="tight"><thead><tr><th scope="col">序号</th><th scope="col">时间</th><th scope="col">谁</th><th scope="col">做了什么</th><th scope="col">对象</th><th scope="col">细节</th><th scope="col">来自</th></tr></thead><tbody>"#);
    for line in &chain.lines {
        let entry = &line.entry;
        push(
            &mut html,
            format_args!(
                r#"<tr{}><td class="time">{}</td><td class="time">{}</td><td class="code">{}</td><td>{}</td><td class="code wrap">{}</td><td class="code wrap">{}</td><td class="code">{}</td></tr>"#,
                if is_loud(entry.act) { r#" class="loud""# } else { "" },
                line.seq,
                Beijing(entry.at_ms),
                Escaped(&entry.actor),
                act_label(entry.act),
                Escaped(&entry.subject),
                Escaped(&entry.detail),
                Escaped(&entry.address),
            ),
        );
    }
    html.push_str(r#"</tbody></table></div><nav class="pager" aria-label="翻页">"#);
    if !chain.first {
        html.push_str(r#"<a href="/desk/audit">回到最新</a>"#);
    }
    if let Some(last) = chain.lines.last().filter(|_| chain.more) {
        push(&mut html, format_args!(r#"<a href="/desk/audit?before={}">更早的记录</a>"#, last.seq));
    }
    html.push_str("</nav>");
    layout::page(signed, Tab::Audit, "审计", &html)
}
