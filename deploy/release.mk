# `make release`: everything that is published of a version, in dist/.

CARGO_DEB_VERSION := 3.8.0
CARGO_DENY_VERSION := 0.20.2
CARGO_CYCLONEDX_VERSION := 0.5.9

DIST := dist
# What the Debian package has in /usr/share, besides what is in the repository.
STAGE := target/dist/share
VERSION := $(shell sed -n 's/^version = "\(.*\)"$$/\1/p' Cargo.toml | head -n 1)
BINARY := $(DIST)/tipoff
PACKAGE := $(DIST)/tipoff_$(VERSION)-1_amd64.deb
SBOM := $(DIST)/tipoff.cdx.json

.PHONY: release
# The binary prints the commit, with `-dirty` if files were changed since.
release: export TIPOFF_COMMIT = $(shell git describe --always --dirty --abbrev=7 --exclude '*')
# Times in the package are that of the commit, so that it is the same each time.
release: export SOURCE_DATE_EPOCH = $(shell git log -1 --format=%ct)
release: deny release-binary release-package release-sbom ## Build binary, Debian package, SBOM and checksums in dist/
	cd $(DIST) && sha256sum $(notdir $(BINARY) $(BINARY).debug $(PACKAGE) $(SBOM)) > SHA256SUMS
	python3 deploy/check_release.py $(DIST) "$(VERSION)" "$$TIPOFF_COMMIT"
	@echo "built of $$TIPOFF_COMMIT:"
	@cd $(DIST) && stat --printf '%s\t%n\n' * | numfmt --to=iec | expand -t 8

.PHONY: deny
deny: .tools/cargo-deny@$(CARGO_DENY_VERSION) ## Check licences, versions and sources of the dependencies
	.tools/bin/cargo-deny check bans licenses sources

.PHONY: release-binary
release-binary: release-tools
	rm -rf $(DIST) $(STAGE)
	mkdir -p $(DIST)
	cargo build --locked --profile dist --bin tipoff
	objcopy --only-keep-debug --compress-debug-sections target/dist/tipoff $(BINARY).debug
	strip --strip-all -o $(BINARY) target/dist/tipoff
	objcopy --add-gnu-debuglink=$(BINARY).debug $(BINARY)

.PHONY: release-package
release-package: release-binary .tools/cargo-deb@$(CARGO_DEB_VERSION)
	install -d $(STAGE)/doc/tipoff
	install -m 644 README.md CHANGELOG.md SECURITY.md docs/*.md docs/output.schema.json $(STAGE)/doc/tipoff
# Commands that write documents, each if the binary has it.
	if $(BINARY) completions --help >/dev/null 2>&1; then \
		install -d $(STAGE)/bash-completion/completions $(STAGE)/zsh/vendor-completions \
			$(STAGE)/fish/vendor_completions.d; \
		$(BINARY) completions bash > $(STAGE)/bash-completion/completions/tipoff; \
		$(BINARY) completions zsh > $(STAGE)/zsh/vendor-completions/_tipoff; \
		$(BINARY) completions fish > $(STAGE)/fish/vendor_completions.d/tipoff.fish; \
	fi
	if $(BINARY) manual --help >/dev/null 2>&1; then \
		install -d $(STAGE)/man/man1; \
		$(BINARY) manual $(STAGE)/man/man1; \
		gzip --best --no-name $(STAGE)/man/man1/*; \
	fi
	.tools/bin/cargo-deb --no-build --no-strip --locked --quiet --profile dist --output $(PACKAGE)

.PHONY: release-sbom
release-sbom: release-binary .tools/cargo-cyclonedx@$(CARGO_CYCLONEDX_VERSION)
	.tools/bin/cargo-cyclonedx cyclonedx --quiet --format json --spec-version 1.5 \
		--target x86_64-unknown-linux-gnu --no-build-deps --override-filename tipoff-sbom
# Without the folder of this machine.
	sed 's|path+file://$(CURDIR)|path+file:///tipoff|g' tipoff-sbom.json > $(SBOM)
	rm tipoff-sbom.json

# The package says which versions of libraries it needs; dpkg-shlibdeps finds them.
.PHONY: release-tools
release-tools:
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
		&& ! { command -v dpkg-shlibdeps && command -v objcopy && command -v systemd-analyze; } >/dev/null; then \
		apt-get update -qq && apt-get install -y -qq binutils dpkg-dev systemd; \
	fi

# Each tool is built once. The file says which version is in .tools/bin.
.tools/%:
	cargo install --locked --debug --quiet --root .tools $*
	touch $@
