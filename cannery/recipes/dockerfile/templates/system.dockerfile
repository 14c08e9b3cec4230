
# What programs expect of a system: users by name, a way to look up hosts, certificates, a place for temporary files.
WORKDIR /image
RUN mkdir -p etc/ssl/certs@{zones} \
 && mkdir -m 1777 tmp \
 && printf '%s\n' 'root:x:0:0:root:/root:/sbin/nologin' @{passwd} >etc/passwd \
 && printf '%s\n' 'root:x:0:' @{group} >etc/group \
 && printf '%s\n' 'passwd: files' 'group: files' 'hosts: files dns' >etc/nsswitch.conf \
 && for name in services protocols; do if [ -f "/etc/$name" ]; then cp "/etc/$name" etc/; fi; done \
 && cp /etc/ssl/certs/ca-certificates.crt etc/ssl/certs/
