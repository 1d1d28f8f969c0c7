/** Where what looks like a secret was published by somebody else, as patterns of paths. */

/** Documentation and tests, wherever they are. */
export const documentation =
  '(?:^|/)(?:usr/share/(?:doc|man|info|perl5?)|node_modules|(?:site|dist)-packages|usr/lib/python[0-9.]*|tests?|testdata|__tests__|docs?|examples?)/|\\.(?:md|rst|adoc|html?|[1-9](?:\\.gz)?)$|(?:^|/)PKG-INFO$'

/** Libraries with keys for their self-tests (GnuTLS has ten, and is in every image of Debian), and the tests and documents that come with languages and packages. */
export const publishedKeys =
  '(?:^|/)(?:usr/)?lib(?:32|64|x32)?/(?:[^/]{1,64}/)?lib[^/]{1,100}\\.(?:so(?:\\.[0-9.]+)?|a)$|(?:^|/)usr/share/doc/|(?:^|/)(?:usr/(?:lib|share|local/(?:lib|share|go))|node_modules|(?:site|dist)-packages|go/pkg/mod)/(?:.*/)?(?:tests?|testdata|testing|certdata|fixtures|spec|examples?)/'
