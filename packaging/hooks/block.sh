# >>> apiscp-backup
/usr/libexec/apiscp-backup/packaging/hooks/account-hook EVENT "$1" || :
# <<< apiscp-backup
