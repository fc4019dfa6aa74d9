"""What each setting does, in Chinese: for docs/settings.zh.md, which `make docs` writes.

The settings themselves, their defaults and units stand in `meiku.config`; here is nothing but sentences.
"""

SENTENCES = {
    "MEIKU_DATA_FOLDER": "数据目录，服务保存的一切都在里面。",
    "MEIKU_DATA_ID": "数据目录必须具有的标识，由 `meiku init` 显示；不符则拒绝启动。",
    "MEIKU_HOST": "监听地址；0.0.0.0 或 :: 表示所有网络。",
    "MEIKU_PORT": "监听端口；0 由系统选一个。",
    "MEIKU_WORKERS": "工作进程数；0 表示每个处理器一个，最多 8 个。",
    "MEIKU_DOMAINS": "桶域名的后缀，桶名写在它前面；localhost 始终是其中之一。",
    "MEIKU_PUBLIC_HOSTS": "代理改写 Host 时，客户端签名所用的域名。",
    "MEIKU_REGION": "服务自称所在的区域。",
    "MEIKU_BUCKETS": "启动时补建的桶：`photos`，或带权限的 `site:public-read`。",
    "MEIKU_TLS_CERTIFICATE": "证书链的 PEM 文件；设置后使用 HTTPS。",
    "MEIKU_TLS_KEY": "证书私钥的 PEM 文件。",
    "MEIKU_HEADER_LIMIT_BYTES": "请求行与请求头合计的上限。",
    "MEIKU_HEADER_TIMEOUT_S": "客户端发完请求头的最长时间。",
    "MEIKU_BODY_IDLE_TIMEOUT_S": "请求体或响应停滞不动的最长时间。",
    "MEIKU_BODY_LEAST_BYTES_PER_S": "请求体每秒至少到达的字节数，按一分钟平均计；0 表示不限。",
    "MEIKU_SIGNATURE_V2": "是否接受 V2 签名，包括请求、链接和表单。",
    "MEIKU_LONGEST_EXPIRES_S": "预签名链接或表单的最长有效期；0 表示与 S3 相同。",
    "MEIKU_DOCUMENT_TIMEOUT_S": "XML 文档或处理配方传完的最长时间。",
    "MEIKU_WRITE_WAIT_S": "写操作等待一个迟迟不结束的写操作的最长时间，超过后即被拒绝。",
    "MEIKU_KEEP_ALIVE_S": "空闲连接保持多久。",
    "MEIKU_GRACEFUL_STOP_S": "收到停止请求后，进行中的传输还能继续多久。",
    "MEIKU_MAX_CONNECTIONS": "同时连接数的上限，由各工作进程平分。",
    "MEIKU_CONNECTIONS_PER_CLIENT": "来自同一地址的连接数上限，同样平分。",
    "MEIKU_MAX_UPLOADS": "同时接收的请求体数量上限，同样平分。",
    "MEIKU_UNSENT_LIMIT_BYTES": "等待慢速读者的响应最多占用的内存，同样平分。",
    "MEIKU_INLINE_LIMIT_BYTES": "不超过这个大小的对象直接存在元数据库里。",
    "MEIKU_MAX_OBJECT_PUT_BYTES": "单个请求能存入的最大对象。",
    "MEIKU_MULTIPART_MIN_PART_BYTES": "分片的最小大小，最后一片除外。",
    "MEIKU_OBJECTS_INHERIT_BUCKET_ACL": "没有指定 ACL 的对象是否沿用桶的 ACL。",
    "MEIKU_UPLOADS_KEEP_BUCKETS": "有未完成的分片上传时，桶是否算作非空而不能删除。",
    "MEIKU_RESERVE_BYTES": "磁盘上始终留出的空间，好让删除操作仍能进行。",
    "MEIKU_SWEEP_INTERVAL_S": "两次清理之间的间隔。",
    "MEIKU_BLOB_GRACE_S": "已删除的数据保留多久，以免打断正在进行的下载。",
    "MEIKU_SCRUB_INTERVAL_S": "两次全量校验之间的间隔；0 表示从不。",
    "MEIKU_SCRUB_BYTES_PER_S": "全量校验每秒最多从磁盘读取的字节数。",
    "MEIKU_MEDIA_SOURCE_LIMIT_BYTES": "用地址处理的图片的最大大小。",
    "MEIKU_MEDIA_MEMORY_BYTES": "处理一张图片最多占用的内存。",
    "MEIKU_MEDIA_TIMEOUT_S": "处理一张图片的最长时间。",
    "MEIKU_MEDIA_CACHE_BYTES": "处理结果缓存的上限；0 表示不缓存。",
    "MEIKU_MEDIA_KEEPS_PLACES": "处理结果是否保留原图的 GPS、XMP、IPTC 和厂商注释。",
    "MEIKU_STRANGERS_NAME_STYLES_ONLY": "匿名请求是否只能使用桶里的样式，不能自带配方。",
    "MEIKU_GRANTS_BY_EMAIL": "ACL 能否用邮箱指定用户；这会透露谁有账号。",
    "MEIKU_HOME_PAGE": "你自己的网页地址；浏览器打开服务的根地址时，看到的页面会链接到它。",
    "MEIKU_METRICS_TOKEN": "读取 `/-/metrics` 所需的令牌；不设置则只有本机能读。",
    "MEIKU_LOG_REQUESTS": "是否把每个请求写入日志。",
}
UNITS = {"seconds": "秒", "bytes": "字节", "connections": "个连接", "bodies": "个请求体", "hosts": ""}
HEAD = """\
# 设置

[English](settings.md) · 中文

本页由 `make docs` 根据设置表生成，请勿手改。
大小可以写成 `64KB`、`5GB`（按千进位），也可以写成 `64KiB`（按 1,024 进位）。
`MEIKU_ACCESS_KEY` 和 `MEIKU_SECRET_KEY` 用来固定根密钥对。

| 变量 | 默认值 | 作用 |
| --- | --- | --- |"""
