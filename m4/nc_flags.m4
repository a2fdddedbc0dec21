# NC_FLAG(VARIABLE, FLAG, [PROGRAM])
# Appends FLAG to VARIABLE when the compiler takes it, compiling and linking
# PROGRAM (default: an empty main), without a single warning.
AC_DEFUN([NC_FLAG], [
	AS_VAR_PUSHDEF([nc_cache], [nc_cv_flag_$1_$2])
	AC_CACHE_CHECK([whether $CC takes $2], [nc_cache], [
		nc_save_CFLAGS=$CFLAGS
		CFLAGS="$CFLAGS $$1 $2 -Werror"
		AC_LINK_IFELSE([m4_default([$3], [AC_LANG_PROGRAM()])],
			[AS_VAR_SET([nc_cache], [yes])],
			[AS_VAR_SET([nc_cache], [no])])
		CFLAGS=$nc_save_CFLAGS
	])
	AS_VAR_IF([nc_cache], [yes], [AS_VAR_APPEND([$1], [" $2"])])
	AS_VAR_POPDEF([nc_cache])
])

# NC_FLAG_REQUIRED(VARIABLE, FLAG, [PROGRAM])
# As NC_FLAG, but a compiler that does not take FLAG stops configure: for flags
# that a person has asked for, or without which the result would be another one.
AC_DEFUN([NC_FLAG_REQUIRED], [
	NC_FLAG([$1], [$2], [$3])
	AS_VAR_PUSHDEF([nc_cache], [nc_cv_flag_$1_$2])
	AS_VAR_IF([nc_cache], [yes], [], [AC_MSG_ERROR([$CC does not take $2, which is needed here])])
	AS_VAR_POPDEF([nc_cache])
])

# NC_MODULE(PREFIX, PKG-CONFIG SPECIFICATION, DEBIAN PACKAGE, WHAT FOR)
# A library that must be there; the error names the package to install.
AC_DEFUN([NC_MODULE], [
	PKG_CHECK_MODULES([$1], [$2], [],
		[AC_MSG_ERROR([$2 is needed for $4, and pkg-config does not find it.
On Debian: apt-get install $3])])
])

# NC_PEER(PREFIX, PKG-CONFIG SPECIFICATION)
# The client library of a program that the benchmarks compare with: built with where it is there.
AC_DEFUN([NC_PEER], [
	PKG_CHECK_MODULES([$1], [$2], [nc_have_peer=yes], [nc_have_peer=no])
	AM_CONDITIONAL([HAVE_$1], [test "$nc_have_peer" = yes])
])

# NC_SONAME(VARIABLE, LIBS, BEGINNING OF THE NAME, PROGRAM)
# The name by which a program that is linked with LIBS asks for its library; empty where PROGRAM does not build.
AC_DEFUN([NC_SONAME], [
	AC_CACHE_CHECK([for the shared library of $2], [nc_cv_soname_$1], [
		nc_save_LIBS=$LIBS
		LIBS="$2 $LIBS"
		nc_cv_soname_$1=
		AC_LINK_IFELSE([$4], [
			nc_cv_soname_$1=$(${OBJDUMP-objdump} -p conftest$EXEEXT | $AWK '$[]1 == "NEEDED" && $[]2 ~ /^$3/ { print $[]2 }')
		])
		LIBS=$nc_save_LIBS
	])
	$1=$nc_cv_soname_$1
])
