package dev.freshet.run.beans;

import dev.freshet.audit.AuditChain;
import dev.freshet.audit.AuditLog;
import dev.freshet.audit.AuditPages;
import dev.freshet.audit.Troubles;
import dev.freshet.settings.Setting;

/** The beans that routes/audit.camel.yaml and routes/api-audit.camel.yaml name. */
record AuditBeans(AuditLog log) {
    static AuditBeans bind(Parts parts, DeliverBeans deliver) {
        AuditLog log = new AuditLog(parts.transactions(), parts.duration(Setting.AUDIT_RETENTION));
        parts.bind("auditLog", log);
        parts.bind("auditPages", new AuditPages(parts.transactions()));
        parts.bind(
                "auditChain",
                new AuditChain(parts.transactions(), () -> deliver.lanes().isBusy()));
        parts.bind("troubles", new Troubles());
        return new AuditBeans(log);
    }
}
